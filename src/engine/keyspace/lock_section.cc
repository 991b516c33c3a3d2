// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/lock_section.h"

#include <algorithm>

#include "base/check.h"

namespace mikura::engine {
namespace {

constexpr MonotonicNanos kClaimPeriod = LockClaims::kClaimLife / 2;

uint32_t ClaimOf(const ShardSet& wanted, uint32_t missing) {
  return wanted.all() ? LockClaims::kEveryLock : missing;
}

}  // namespace

// While a collector that holds something waits for one more.
class LockSection::Watch final : public WaitWatch {
 public:
  Watch(const LockSection& section, const ShardLock& wanted) : section_(section), wanted_(wanted) {}

  bool MustLetGo() const override {
    if (section_.is_holder_) return false;  // nobody else reserves
    if (wanted_.is_with_holder() || wanted_.is_slow()) return true;
    const ShardSet& held = section_.held_;
    for (size_t i = held._Find_first(); i < kShardCount; i = held._Find_next(i)) {
      if (section_.protocol_.shards[i].is_reserved()) return true;
    }
    return false;
  }

 private:
  const LockSection& section_;
  const ShardLock& wanted_;
};

// Others go behind a request that has a claim.
void LockSection::NoteClaim(uint32_t claim) {
  const MonotonicNanos now = LockNow();
  protocol_.claims.Note(claim, patience_.Since(now), now);
  patience_.age().has_claim = true;
}

LockOutcome LockSection::PutAside(uint32_t claim) {
  NoteClaim(claim);
  return LockOutcome::kPutAside;
}

// Waits for one lock, by the thread's patience; no shard is held.
LockOutcome LockSection::WaitFor(ShardLock& lock, uint32_t claim) {
  const bool puts_aside = patience_.puts_aside();
  while (true) {
    if (puts_aside && lock.is_slow()) return LockOutcome::kBusy;
    const MonotonicNanos begin = LockNow();
    // A gate of a thread that does not put it aside refreshes its claim now and then.
    const MonotonicNanos until = std::min(patience_.ParkUntil(begin), begin + kClaimPeriod);
    const bool locked =
        lock.LockFor({.since = patience_.Since(begin), .until = until, .is_holder = is_holder_});
    patience_.CountParked(LockNow() - begin);
    if (locked) return LockOutcome::kLocked;
    if (puts_aside && lock.is_slow()) return LockOutcome::kBusy;
    if (puts_aside) return PutAside(claim);
    if (claim == LockClaims::kEveryLock) NoteClaim(claim);
  }
}

LockOutcome LockSection::EnterToken() {
  DCHECK(held_.none() && !is_holder_);
  LockOutcome outcome = LockOutcome::kLocked;
  const MonotonicNanos since = patience_.age().since;
  if (patience_.puts_aside() &&
      protocol_.claims.HasOlder(LockClaims::kToken, since != 0 ? since : INT64_MAX)) {
    outcome = protocol_.token.is_slow() ? LockOutcome::kBusy : PutAside(LockClaims::kToken);
  } else if (!protocol_.token.TryLock()) {
    outcome = WaitFor(protocol_.token, LockClaims::kToken);
  }
  is_holder_ = outcome == LockOutcome::kLocked;
  if (outcome == LockOutcome::kBusy) patience_.EndRequest(protocol_.claims);
  return outcome;
}

void LockSection::Hold(uint32_t shard) {
  held_.set(shard);
  if (is_slow_) protocol_.shards[shard].MarkSlow();
}

LockOutcome LockSection::Collect(const ShardSet& wanted) {
  DCHECK(held_.none());
  const LockOutcome outcome = CollectInRounds(wanted);
  if (outcome != LockOutcome::kLocked) Release();
  if (outcome != LockOutcome::kPutAside) patience_.EndRequest(protocol_.claims);
  return outcome;
}

LockOutcome LockSection::CollectInRounds(const ShardSet& wanted) {
  LockAge& age = patience_.age();
  const bool is_single = wanted.count() == 1;
  uint32_t rounds = 0;
  while (true) {
    if (!is_holder_ && !is_single && age.tries >= kTriesMax) {
      const LockOutcome entered = EnterToken();
      if (entered != LockOutcome::kLocked) return entered;
      rounds = 0;
    }
    uint32_t missing = 0;
    const bool insists = is_holder_ && rounds >= kTriesMax;
    if (const Round round = TryCollect(wanted, insists, missing)) return *round;
    ++rounds;
    ++age.tries;
    const LockOutcome waited = WaitAlone(wanted, missing);
    if (waited != LockOutcome::kLocked) return waited;
  }
}

// Waits for what was missing, which is free then, or nearly so.
LockOutcome LockSection::WaitAlone(const ShardSet& wanted, uint32_t shard) {
  const uint32_t claim = ClaimOf(wanted, shard);
  // A gate lets nobody begin who would hold something for long.
  if (claim == LockClaims::kEveryLock) NoteClaim(claim);
  ShardLock& lock = protocol_.shards[shard];
  const LockOutcome outcome = WaitFor(lock, claim);
  if (outcome == LockOutcome::kLocked) lock.Unlock();
  return outcome;
}

LockSection::Round LockSection::TryCollect(const ShardSet& wanted, bool insists,
                                           uint32_t& missing) {
  MonotonicNanos until = 0;  // of the patience, from the first wait on
  for (size_t i = wanted._Find_first(); i < kShardCount; i = wanted._Find_next(i)) {
    const auto shard = static_cast<uint32_t>(i);
    ShardLock& lock = protocol_.shards[shard];
    if (lock.TryLockAs(is_holder_)) {
      Hold(shard);
      continue;
    }
    if (held_.none()) {
      const LockOutcome outcome = WaitFor(lock, ClaimOf(wanted, shard));
      if (outcome != LockOutcome::kLocked) return outcome;
      Hold(shard);
      continue;
    }
    const MonotonicNanos now = LockNow();
    if (until == 0) until = insists ? patience_.ParkUntil(now) : now + kPatience;
    const Watch watch(*this, lock);
    const bool locked = lock.LockFor(
        {.since = patience_.Since(now), .until = until, .is_holder = is_holder_, .watch = &watch});
    if (!locked && insists) return PutAside(ClaimOf(wanted, shard));
    if (!locked) {
      missing = shard;
      ReleaseShards();
      return std::nullopt;
    }
    Hold(shard);
  }
  return LockOutcome::kLocked;
}

LockOutcome LockSection::LockOne(LockProtocol& protocol, LockPatience& patience, uint32_t shard) {
  LockSection section(protocol, patience);
  const LockOutcome outcome = section.WaitFor(protocol.shards[shard], shard);
  if (outcome != LockOutcome::kPutAside) patience.EndRequest(protocol.claims);
  return outcome;
}

bool LockSection::Reserve(uint32_t shard) {
  DCHECK(is_holder_);
  if (held_.test(shard)) return true;
  ShardLock& lock = protocol_.shards[shard];
  LongWait* const long_wait = patience_.long_wait();
  while (true) {
    const MonotonicNanos until = long_wait != nullptr ? long_wait->NextTurn() : LockWait::kForEver;
    if (lock.LockFor({.since = 0, .until = until, .is_holder = true})) break;
    if (!long_wait->Turn()) return false;
  }
  Hold(shard);
  return true;
}

void LockSection::ReleaseShards() {
  for (size_t i = held_._Find_first(); i < kShardCount; i = held_._Find_next(i)) {
    protocol_.shards[i].Unlock();
  }
  held_.reset();
}

void LockSection::Release() {
  ReleaseShards();
  if (!is_holder_) return;
  is_holder_ = false;
  protocol_.token.Unlock();
  protocol_.claims.Wake();
}

void LockSection::MarkSlow() {
  is_slow_ = true;
  if (is_holder_) protocol_.token.MarkSlow();
  for (size_t i = held_._Find_first(); i < kShardCount; i = held_._Find_next(i)) {
    protocol_.shards[i].MarkSlow();
  }
}

}  // namespace mikura::engine
