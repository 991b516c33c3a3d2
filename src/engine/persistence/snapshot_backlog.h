// SPDX-License-Identifier: Apache-2.0
// What writers have handed over to snapshots and these have not written yet. A file that is written
// slower than clients change the data would make it a second copy of them: over the limit, clients'
// writes wait before they take any lock, until there is room. What holds locks already goes on.
//
// Snapshots that a replica takes are not counted: a slow one is cut off (PrimarySession).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "base/mutex.h"

namespace mikura::engine {

class SnapshotBacklog {
 public:
  // Told whether it is full, with a lock held that may lie within a shard's: it must not wait. Set
  // once, before the first snapshot.
  using Listener = std::function<void(bool is_full)>;
  void SetListener(Listener listener) { listener_ = std::move(listener); }

  // 0: none. Any thread.
  void set_limit(uint64_t bytes);

  // May be called with shard locks held.
  void Add(uint64_t bytes);
  void Remove(uint64_t bytes);
  bool is_full() const { return IsFull(bytes()); }
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  bool IsFull(uint64_t bytes) const {
    const uint64_t limit = limit_.load(std::memory_order_relaxed);
    return limit != 0 && bytes > limit;
  }
  // Whoever crosses the limit tells it as it is then: the last one to do so tells how it remains.
  void Tell();

  Listener listener_;
  // Publish nothing but themselves.
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> limit_{0};
  Mutex mutex_;  // a leaf
};

}  // namespace mikura::engine
