// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/lock_claims.h"

#include <algorithm>

namespace mikura::engine {

void LockClaims::Note(uint32_t lock, MonotonicNanos since, MonotonicNanos now) {
  MutexLock guard(mutex_);
  for (Claim& claim : claims_) {
    if (claim.since != since) continue;
    claim.lock = lock;
    claim.refreshed = now;
    return;
  }
  claims_.push_back({lock, since, now});
  count_.store(static_cast<uint32_t>(claims_.size()), std::memory_order_relaxed);
}

void LockClaims::Drop(MonotonicNanos since) {
  MutexLock guard(mutex_);
  std::erase_if(claims_, [=](const Claim& claim) { return claim.since == since; });
  count_.store(static_cast<uint32_t>(claims_.size()), std::memory_order_relaxed);
}

bool LockClaims::FindOlder(uint32_t lock, MonotonicNanos since) {
  const MonotonicNanos now = LockNow();
  since = std::min(since, now - kYieldAge);
  MutexLock guard(mutex_);
  std::erase_if(claims_, [=](const Claim& claim) { return now - claim.refreshed > kClaimLife; });
  count_.store(static_cast<uint32_t>(claims_.size()), std::memory_order_relaxed);
  return std::any_of(claims_.begin(), claims_.end(), [=](const Claim& claim) {
    return (claim.lock == lock || claim.lock == kEveryLock) && claim.since < since;
  });
}

}  // namespace mikura::engine
