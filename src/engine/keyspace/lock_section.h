// SPDX-License-Identifier: Apache-2.0
// Locks of several shards, and the script token: the protocol of lock_order.md.
//
// S1. The token is taken while no shard is held. Its owner, the holder, takes further shards in any
//     order, by reservation; there is one holder at most.
// S2. Others collect their shards in ascending order. While they wait and hold something they let
//     go of all: when a shard of theirs is reserved, when the one they want is with the holder, or
//     when kPatience is over. Then they wait for the missing one with nothing held. After kTriesMax
//     times they take the token.
// S3. A holder that collects before it has changed anything lets go in the same way, up to
//     kTriesMax times, so that it freezes nothing for long; then it keeps what it has.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/keyspace/held_shards.h"
#include "engine/keyspace/lock_claims.h"
#include "engine/keyspace/lock_patience.h"
#include "engine/keyspace/shard_lock.h"

namespace mikura::engine {

// The locks of all shards, wherever they lie.
class ShardLocks {
 public:
  ShardLocks(ShardLock* first, size_t stride)
      : first_(reinterpret_cast<char*>(first)), stride_(stride) {}
  ShardLock& operator[](size_t shard) const {
    return *reinterpret_cast<ShardLock*>(first_ + shard * stride_);
  }

 private:
  char* first_;
  size_t stride_;
};

// The script token, and what else the protocol needs beside the shards' locks.
struct LockProtocol {
  ShardLocks shards;
  ShardLock token{};
  LockClaims claims{};
};

// What one thread holds.
class LockSection {
 public:
  static constexpr MonotonicNanos kPatience = 50'000;
  static constexpr uint32_t kTriesMax = 3;

  LockSection(LockProtocol& protocol, LockPatience& patience)
      : protocol_(protocol), patience_(patience) {}
  ~LockSection() { Release(); }
  LockSection(const LockSection&) = delete;
  LockSection& operator=(const LockSection&) = delete;

  // Takes the token. Nothing is held.
  LockOutcome EnterToken() NO_THREAD_SAFETY_ANALYSIS;
  // Takes these shards; none is held. Unless it comes to kLocked, nothing is held then, not even
  // the token.
  LockOutcome Collect(const ShardSet& wanted);
  // One more shard, whatever is held and was changed. Of the holder. False: it is to end, and has
  // not got it.
  bool Reserve(uint32_t shard) NO_THREAD_SAFETY_ANALYSIS;
  // Lets go of the shards, to collect others.
  void ReleaseShards() NO_THREAD_SAFETY_ANALYSIS;
  void Release() NO_THREAD_SAFETY_ANALYSIS;

  // Locks one shard, outside of any section: the caller unlocks it.
  static LockOutcome LockOne(LockProtocol& protocol, LockPatience& patience, uint32_t shard);

  const ShardSet& held() const { return held_; }
  bool is_holder() const { return is_holder_; }
  // It has run for longer than busy-reply-threshold: who wants what it holds is told so.
  void MarkSlow();

 private:
  class Watch;
  // What a round of collecting came to, unless something was missing, of which it let go.
  using Round = std::optional<LockOutcome>;

  LockOutcome CollectInRounds(const ShardSet& wanted);
  Round TryCollect(const ShardSet& wanted, bool insists,
                   uint32_t& missing) NO_THREAD_SAFETY_ANALYSIS;
  LockOutcome WaitAlone(const ShardSet& wanted, uint32_t shard) NO_THREAD_SAFETY_ANALYSIS;
  LockOutcome WaitFor(ShardLock& lock, uint32_t claim) NO_THREAD_SAFETY_ANALYSIS;
  void NoteClaim(uint32_t claim);
  LockOutcome PutAside(uint32_t claim);
  void Hold(uint32_t shard);

  LockProtocol& protocol_;
  LockPatience& patience_;
  ShardSet held_;
  bool is_holder_ = false;
  bool is_slow_ = false;
};

}  // namespace mikura::engine
