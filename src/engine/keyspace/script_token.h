// SPDX-License-Identifier: Apache-2.0
// The one token of those who may take shards in any order, also after they have changed something:
// scripts whose keys are not known before. Whoever visits all shards takes it too.
//
// T1. It is taken with no shard held, before any.
// T2. The thread that has it may take it again; it is free when it was left as often.
// T3. Whoever has several shards and not the token lets go of all of them when the next one is not
//     to be had soon (Keyspace::LockShards): so the one who has the token gets every shard.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/thread_annotations.h"
#include "base/thread_index.h"
#include "engine/keyspace/shard_lock.h"

namespace mikura::engine {

class ScriptToken {
 public:
  ScriptToken() = default;
  ScriptToken(const ScriptToken&) = delete;
  ScriptToken& operator=(const ScriptToken&) = delete;

  void Enter() NO_THREAD_SAFETY_ANALYSIS {
    if (!is_mine()) {
      lock_.Lock();
      owner_.store(Self(), std::memory_order_relaxed);
    }
    ++depth_;
  }
  // False when it was not to be had within `patience`.
  bool EnterFor(std::chrono::microseconds patience) NO_THREAD_SAFETY_ANALYSIS {
    if (!is_mine()) {
      if (!lock_.LockFor(patience)) return false;
      owner_.store(Self(), std::memory_order_relaxed);
    }
    ++depth_;
    return true;
  }
  void Leave() NO_THREAD_SAFETY_ANALYSIS {
    if (--depth_ > 0) return;
    owner_.store(0, std::memory_order_relaxed);
    lock_.Unlock();
  }
  // Whether the calling thread has it.
  bool is_mine() const { return owner_.load(std::memory_order_relaxed) == Self(); }

 private:
  static uint32_t Self() { return ThreadIndex() + 1; }

  ShardLock lock_;
  // Publishes nothing: only the thread itself can find itself here.
  std::atomic<uint32_t> owner_{0};
  uint32_t depth_ = 0;  // guarded by lock_
};

// Has the token.
class TokenGuard {
 public:
  explicit TokenGuard(ScriptToken& token) : token_(token) { token_.Enter(); }
  ~TokenGuard() { token_.Leave(); }
  TokenGuard(const TokenGuard&) = delete;
  TokenGuard& operator=(const TokenGuard&) = delete;

 private:
  ScriptToken& token_;
};

}  // namespace mikura::engine
