// SPDX-License-Identifier: Apache-2.0
// Requests that may not run for a while: CLIENT PAUSE, a failover that holds back writes, and the
// admin socket's hold. Each ends without regard to the others.
#pragma once

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/server/node_state.h"

namespace mikura::engine {

class ClientPause {
 public:
  explicit ClientPause(NodeState& node) : node_(node) {}

  // Until `end` nothing runs that may write, or (all) nothing at all. With such a pause that goes
  // on already, the later end and the stricter kind hold.
  void Begin(UnixMillis now, UnixMillis end, bool all) EXCLUDES(mutex_);
  void End() EXCLUDES(mutex_);
  // Returns whether that is a change.
  bool HoldWrites(bool holds) EXCLUDES(mutex_);
  // The same until `end`, unless it is called again before; an end that is past ends it.
  void HoldWritesUntil(UnixMillis end) EXCLUDES(mutex_);
  bool is_active(UnixMillis now) const {
    return node_.pause_end.load(std::memory_order_relaxed) > now;
  }

 private:
  void Publish() REQUIRES(mutex_);

  NodeState& node_;
  Mutex mutex_;
  UnixMillis end_ GUARDED_BY(mutex_) = 0;
  bool all_ GUARDED_BY(mutex_) = false;
  bool holds_writes_ GUARDED_BY(mutex_) = false;
  UnixMillis hold_end_ GUARDED_BY(mutex_) = 0;
};

}  // namespace mikura::engine
