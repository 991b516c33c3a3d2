// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/lock_section.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace mikura::engine {
namespace {

constexpr MonotonicNanos kMilli = 1'000'000;
constexpr MonotonicNanos kSecond = 1000 * kMilli;

ShardSet Shards(std::initializer_list<uint32_t> shards) {
  ShardSet set;
  for (const uint32_t shard : shards) set.set(shard);
  return set;
}

// Counts its turns, and ends what waits after some of them.
class CountedTurns final : public LongWait {
 public:
  MonotonicNanos NextTurn() override { return LockNow() + kMilli; }
  bool Turn() override { return ++turns < ends_after; }

  int turns = 0;
  int ends_after = INT32_MAX;
};

class LockSectionTest : public ::testing::Test {
 protected:
  std::unique_ptr<ShardLock[]> locks_{new ShardLock[kShardCount]};
  LockProtocol protocol_{ShardLocks(locks_.get(), sizeof(ShardLock))};
  CountedTurns turns_;
  LockPatience background_;
  LockPatience loop_{turns_};
};

TEST_F(LockSectionTest, HoldsWhatItCollectedUntilItsEnd) {
  {
    LockSection section(protocol_, background_);
    EXPECT_EQ(section.Collect(Shards({1, 5})), LockOutcome::kLocked);
    EXPECT_TRUE(locks_[1].IsHeld());
    EXPECT_TRUE(locks_[5].IsHeld());
    EXPECT_FALSE(locks_[2].IsHeld());
  }
  EXPECT_FALSE(locks_[1].IsHeld());
  EXPECT_FALSE(locks_[5].IsHeld());
}

TEST_F(LockSectionTest, IsPutAsideWithNothingHeldWhenALockIsNotToBeHad)
NO_THREAD_SAFETY_ANALYSIS {
  ASSERT_TRUE(locks_[5].TryLock());
  LockSection section(protocol_, loop_);
  EXPECT_EQ(section.Collect(Shards({1, 5})), LockOutcome::kPutAside);
  EXPECT_FALSE(locks_[1].IsHeld());
  locks_[5].Unlock();
  loop_.BeginTurn();
  EXPECT_EQ(section.Collect(Shards({1, 5})), LockOutcome::kLocked);
}

TEST_F(LockSectionTest, WaitsForOneMillisecondInSumAndNoLonger)
NO_THREAD_SAFETY_ANALYSIS {
  ASSERT_TRUE(locks_[5].TryLock());
  loop_.BeginTurn();
  const MonotonicNanos begin = LockNow();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(LockSection::LockOne(protocol_, loop_, 5), LockOutcome::kPutAside);
  }
  // Twenty waits of a millisecond each would take twice as long; the machine may be slow.
  EXPECT_LT(LockNow() - begin, 10 * kMilli);
  locks_[5].Unlock();
}

TEST_F(LockSectionTest, TellsThatTheOwnerIsSlow) {
  LockSection script(protocol_, background_);
  ASSERT_EQ(script.EnterToken(), LockOutcome::kLocked);
  ASSERT_EQ(script.Collect(Shards({3})), LockOutcome::kLocked);
  script.MarkSlow();
  EXPECT_EQ(LockSection::LockOne(protocol_, loop_, 3), LockOutcome::kBusy);
  LockSection other(protocol_, loop_);
  EXPECT_EQ(other.Collect(Shards({1, 3})), LockOutcome::kBusy);
  EXPECT_EQ(other.EnterToken(), LockOutcome::kBusy);
  // What it takes later is slow as well, and what it never had is not.
  ASSERT_TRUE(script.Reserve(7));
  EXPECT_EQ(LockSection::LockOne(protocol_, loop_, 7), LockOutcome::kBusy);
  EXPECT_EQ(other.Collect(Shards({1, 2})), LockOutcome::kLocked);
  script.Release();
  EXPECT_FALSE(locks_[3].is_slow());
  EXPECT_FALSE(protocol_.token.is_slow());
}

TEST_F(LockSectionTest, ACollectorLetsGoOfWhatTheHolderWants) {
  LockSection script(protocol_, background_);
  ASSERT_EQ(script.EnterToken(), LockOutcome::kLocked);
  ASSERT_EQ(script.Collect(Shards({1})), LockOutcome::kLocked);
  std::thread collector([&] {
    LockPatience patience;
    LockSection section(protocol_, patience);
    EXPECT_EQ(section.Collect(Shards({0, 1})), LockOutcome::kLocked);
  });
  // Against the order, with something held: it would wait for ever if the collector kept shard 0.
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(script.Reserve(0));
    std::this_thread::yield();
  }
  script.Release();
  collector.join();
}

TEST_F(LockSectionTest, AReservationGoesBeforeTheLine) NO_THREAD_SAFETY_ANALYSIS {
  ASSERT_TRUE(locks_[0].TryLock());
  std::atomic<int> order{0};  // hands out places; relaxed is enough
  int place_of_single = 0;
  std::thread single([&]() NO_THREAD_SAFETY_ANALYSIS {
    locks_[0].Lock();
    place_of_single = ++order;
    locks_[0].Unlock();
  });
  std::thread holder([&] {
    LockPatience patience;
    LockSection script(protocol_, patience);
    EXPECT_EQ(script.EnterToken(), LockOutcome::kLocked);
    EXPECT_TRUE(script.Reserve(0));
    EXPECT_EQ(++order, 1);
  });
  while (!locks_[0].is_reserved()) std::this_thread::yield();
  locks_[0].Unlock();
  holder.join();
  single.join();
  EXPECT_EQ(place_of_single, 2);
}

TEST_F(LockSectionTest, AHolderTakesTurnsWhileItWaitsAndMayBeEnded)
NO_THREAD_SAFETY_ANALYSIS {
  ASSERT_TRUE(locks_[0].TryLock());
  LockSection script(protocol_, loop_);
  ASSERT_EQ(script.EnterToken(), LockOutcome::kLocked);
  turns_.ends_after = 3;
  EXPECT_FALSE(script.Reserve(0));
  EXPECT_EQ(turns_.turns, 3);
  EXPECT_FALSE(locks_[0].is_reserved());
  locks_[0].Unlock();
  EXPECT_TRUE(script.Reserve(0));
}

TEST_F(LockSectionTest, WhoComesLaterGoesBehindWhoWasPutAsideLongAgo) {
  LockPatience older{turns_};
  LockPatience younger{turns_};
  LockSection script(protocol_, background_);
  ASSERT_EQ(script.EnterToken(), LockOutcome::kLocked);
  LockSection first(protocol_, older);
  const MonotonicNanos begin = LockNow();
  do {
    EXPECT_EQ(first.EnterToken(), LockOutcome::kPutAside);
  } while (LockNow() - begin < LockClaims::kYieldAge);
  script.Release();
  LockSection second(protocol_, younger);
  EXPECT_EQ(second.EnterToken(), LockOutcome::kPutAside);
  older.BeginTurn();
  ASSERT_EQ(first.EnterToken(), LockOutcome::kLocked);
  ASSERT_EQ(first.Collect({}), LockOutcome::kLocked);
  first.Release();
  EXPECT_EQ(second.EnterToken(), LockOutcome::kLocked);
}

TEST_F(LockSectionTest, AClaimThatNobodyComesForIsForgotten) {
  LockPatience gone{turns_};
  {
    LockSection script(protocol_, background_);
    ASSERT_EQ(script.EnterToken(), LockOutcome::kLocked);
    LockSection first(protocol_, gone);
    const MonotonicNanos begin = LockNow();
    do {
      EXPECT_EQ(first.EnterToken(), LockOutcome::kPutAside);
    } while (LockNow() - begin < LockClaims::kYieldAge);
  }
  LockSection second(protocol_, loop_);
  const MonotonicNanos begin = LockNow();
  while (second.EnterToken() != LockOutcome::kLocked) {
    ASSERT_LT(LockNow() - begin, 5 * kSecond);
    std::this_thread::yield();
  }
  EXPECT_TRUE(second.is_holder());
}

TEST_F(LockSectionTest, AReleasedTokenWakesThoseThatWerePutAside) {
  int wakes = 0;
  protocol_.claims.SetWaker([&] { ++wakes; });
  LockSection script(protocol_, background_);
  ASSERT_EQ(script.EnterToken(), LockOutcome::kLocked);
  LockSection other(protocol_, loop_);
  EXPECT_EQ(other.EnterToken(), LockOutcome::kPutAside);
  script.Release();
  EXPECT_EQ(wakes, 1);
}

// ---- Random threads.

constexpr int kAccounts = 4;  // shards that everybody wants
constexpr int64_t kMoney = 1'000'000;

struct Bank {
  std::unique_ptr<ShardLock[]> locks{new ShardLock[kShardCount]};
  LockProtocol protocol{ShardLocks(locks.get(), sizeof(ShardLock))};
  std::array<int64_t, kAccounts> balance{};  // each guarded by the lock of its number
};

// One thread, as an event loop has it: what is not to be had is put aside, and tried again behind
// others.
class Teller {
 public:
  enum Kind { kSingle, kPair, kScript, kScriptWithKeys, kGate, kKinds };

  Teller(Bank& bank, uint32_t seed) : bank_(bank), random_(seed) {}

  void Run(MonotonicNanos end) {
    while (LockNow() < end || !aside_.empty()) {
      patience_.BeginTurn();
      RetryAside();
      if (LockNow() < end && aside_.size() < 8) Start(MakeRequest());
    }
  }

  std::array<int, kKinds> done{};
  MonotonicNanos longest = 0;
  int put_aside = 0;

 private:
  struct Request {
    Kind kind = kSingle;
    uint32_t from = 0;
    uint32_t to = 0;
    MonotonicNanos begin = 0;
    LockAge age;
  };

  uint32_t Below(uint32_t limit) { return static_cast<uint32_t>(random_() % limit); }

  Request MakeRequest() {
    Request request;
    const uint32_t die = Below(100);
    request.kind = die < 60   ? kSingle
                   : die < 80 ? kPair
                   : die < 90 ? kScript
                   : die < 98 ? kScriptWithKeys
                              : kGate;
    request.from = Below(kAccounts);
    request.to = (request.from + 1 + Below(kAccounts - 1)) % kAccounts;
    request.begin = LockNow();
    return request;
  }

  void Start(Request request) {
    if (TryRun(request)) return;
    ++put_aside;
    aside_.push_back(request);
  }

  void RetryAside() {
    for (size_t n = aside_.size(); n > 0; --n) {
      Request request = aside_.front();
      aside_.pop_front();
      if (!TryRun(request)) aside_.push_back(request);
    }
  }

  bool TryRun(Request& request) {
    patience_.SetRequest(&request.age);
    const bool ran = request.kind == kSingle ? RunSingle(request) : RunSection(request);
    if (ran) patience_.EndRequest(bank_.protocol.claims);
    patience_.SetRequest(nullptr);
    if (!ran) return false;
    ++done[request.kind];
    longest = std::max(longest, LockNow() - request.begin);
    return true;
  }

  // There and back, so that the sum is the same.
  bool RunSingle(const Request& request) NO_THREAD_SAFETY_ANALYSIS {
    ShardLock& lock = bank_.locks[request.from];
    if (!lock.TryLock() &&
        LockSection::LockOne(bank_.protocol, patience_, request.from) != LockOutcome::kLocked) {
      return false;
    }
    bank_.balance[request.from] -= 1;
    Work(20);
    bank_.balance[request.from] += 1;
    lock.Unlock();
    return true;
  }

  bool RunSection(const Request& request) {
    LockSection section(bank_.protocol, patience_);
    const bool wants_token = request.kind >= kScript;
    if (wants_token && section.EnterToken() != LockOutcome::kLocked) return false;
    ShardSet shards;
    if (request.kind == kPair) shards.set(request.from).set(request.to);
    if (request.kind == kScriptWithKeys) shards.set(request.from);
    if (request.kind == kGate) shards.set();
    if (section.Collect(shards) != LockOutcome::kLocked) return false;
    if (request.kind == kScript) EXPECT_TRUE(section.Reserve(request.from));
    if (wants_token) EXPECT_TRUE(section.Reserve(request.from));
    bank_.balance[request.from] -= 7;
    Work(Below(50) == 0 ? 20'000 : 100);  // some are slow
    if (wants_token) EXPECT_TRUE(section.Reserve(request.to));
    bank_.balance[request.to] += 7;
    if (request.kind == kGate) EXPECT_EQ(Sum(), kAccounts * kMoney);
    return true;
  }

  int64_t Sum() const {
    int64_t sum = 0;
    for (const int64_t balance : bank_.balance) sum += balance;
    return sum;
  }

  static void Work(int rounds) {
    for (int i = 0; i < rounds; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
  }

  Bank& bank_;
  std::mt19937 random_;
  CountedTurns turns_;
  LockPatience patience_{turns_};
  std::deque<Request> aside_;
};

TEST(LockSectionStress, EverybodyGetsThroughAndNothingIsLost) {
  constexpr int kThreads = 5;
  Bank bank;
  bank.balance.fill(kMoney);
  const MonotonicNanos end = LockNow() + 3 * kSecond;
  std::vector<std::unique_ptr<Teller>> tellers;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    tellers.push_back(std::make_unique<Teller>(bank, static_cast<uint32_t>(i) + 1));
  }
  for (const auto& teller : tellers) threads.emplace_back([&] { teller->Run(end); });
  for (std::thread& thread : threads) thread.join();

  int64_t sum = 0;
  for (const int64_t balance : bank.balance) sum += balance;
  EXPECT_EQ(sum, kAccounts * kMoney);
  std::array<int, Teller::kKinds> done{};
  for (const auto& teller : tellers) {
    for (int kind = 0; kind < Teller::kKinds; ++kind) done[kind] += teller->done[kind];
    EXPECT_LT(teller->longest, 5 * kSecond);
  }
  for (int kind = 0; kind < Teller::kKinds; ++kind) EXPECT_GT(done[kind], 100) << kind;
  for (uint32_t i = 0; i < kShardCount; ++i) EXPECT_FALSE(bank.locks[i].IsHeld());
  EXPECT_FALSE(bank.protocol.token.IsHeld());
  EXPECT_TRUE(bank.protocol.claims.empty());
}

}  // namespace
}  // namespace mikura::engine
