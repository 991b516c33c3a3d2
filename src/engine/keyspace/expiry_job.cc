// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/expiry_job.h"

#include <algorithm>

namespace mikura::engine {

UnixMillis ExpiryJob::Run(UnixMillis now) {
  if (!keyspace_.may_expire()) return now + kPauseMax;
  size_t budget = kTurnEntries;
  UnixMillis next_due = INT64_MAX;
  for (uint32_t n = 0; n < count_; ++n) {
    const uint32_t index = (first_ + next_) % kShardCount;
    if (keyspace_.UnlockedShard(index).next_expiry() <= now) {
      if (budget == 0) return now;
      budget -= RunShard(index, now, budget);
    }
    next_due = std::min(next_due, keyspace_.UnlockedShard(index).next_expiry());
    next_ = (next_ + 1) % count_;
  }
  if (budget == 0 && next_due <= now) return now;
  return std::clamp(next_due, now + kPauseMin, now + kPauseMax);
}

// Returns how many entries were handled. A shard in use is left to the next turn: this is
// background work.
size_t ExpiryJob::RunShard(uint32_t index, UnixMillis now, size_t budget) {
  size_t handled = 0;
  ShardLock& lock = keyspace_.lock(index);
  while (handled < budget && keyspace_.UnlockedShard(index).next_expiry() <= now) {
    if (!lock.TryLock()) break;
    handled +=
        keyspace_.LockedShard(index).ExpireStep(now, std::min(kLockEntries, budget - handled));
    lock.Unlock();
  }
  return handled;
}

}  // namespace mikura::engine
