// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/expiry_job.h"

#include <algorithm>

#include "engine/keyspace/own_deadlines.h"

namespace mikura::engine {

UnixMillis ExpiryJob::Run(UnixMillis now) {
  only_own_ = !keyspace_.may_expire();
  if (only_own_ && (!keyspace_.may_expire_own() || keyspace_.own_deadlines().count() == 0)) {
    return now + kPauseMax;
  }
  return RunAll(now);
}

UnixMillis ExpiryJob::RunAll(UnixMillis now) {
  size_t budget = kTurnEntries;
  UnixMillis next_due = INT64_MAX;
  for (uint32_t n = 0; n < count_; ++n) {
    const uint32_t index = (first_ + next_) % kShardCount;
    if (NextDue(index) <= now) {
      if (budget == 0) return now;
      budget -= RunShard(index, now, budget);
    }
    next_due = std::min(next_due, NextDue(index));
    next_ = (next_ + 1) % count_;
  }
  if (budget == 0 && next_due <= now) return now;
  return std::clamp(next_due, now + kPauseMin, now + kPauseMax);
}

UnixMillis ExpiryJob::NextDue(uint32_t index) const {
  return only_own_ ? keyspace_.own_deadlines().next_due(index)
                   : keyspace_.UnlockedShard(index).next_expiry();
}

// Returns how many entries were handled. A shard in use is left to the next turn: this is
// background work.
size_t ExpiryJob::RunShard(uint32_t index, UnixMillis now, size_t budget) {
  size_t handled = 0;
  ShardLock& lock = keyspace_.lock(index);
  while (handled < budget && NextDue(index) <= now) {
    if (!lock.TryLock()) break;
    const size_t limit = std::min(kLockEntries, budget - handled);
    handled += only_own_ ? keyspace_.own_deadlines().ExpireStep(index, now, limit)
                         : keyspace_.LockedShard(index).ExpireStep(now, limit);
    lock.Unlock();
  }
  return handled;
}

}  // namespace mikura::engine
