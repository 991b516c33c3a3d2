// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/expiry_job.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "base/check.h"

namespace mikura::engine {
namespace {

constexpr UnixMillis kNow = 1'750'000'000'000;
constexpr UnixMillis kSlotWidth = 32;  // of the wheel

// A keyspace whose job runs when it asked to, on a clock moved by hand.
class ExpiryJobTest : public testing::Test, public RemovalObserver {
 protected:
  ExpiryJobTest() {
    keyspace_->SetRemovalObserver(this);
    Settle();
  }

  // A wheel learns the time from the first turn that looks at it: gives each shard one.
  void Settle() {
    for (int i = 0; i < 20'000; ++i) Set("first" + std::to_string(i), kNow + 1);
    now_ = kNow + 100;
    while (job_.Run(now_) == now_) {
    }
    CHECK(keyspace_->KeyCount(0) == 0);
    late_most_ = 0;
    removed_ = 0;
  }

  void Set(const std::string& name, UnixMillis deadline) {
    const Key key = keyspace_->hasher()(name);
    store::Attributes attributes;
    attributes.deadline = deadline;
    ShardGuard guard(keyspace_->lock(key.shard()));
    CHECK(keyspace_->LockedShard(key.shard())
              .SetString(0, key, "v", attributes, keyspace_->AccessAt(now_))
              .ok());
  }

  // Goes on from turn to turn up to `end`; each turn is where the one before asked for it.
  void RunUntil(UnixMillis end) {
    for (;;) {
      const uint64_t before = removed_;
      const UnixMillis next = job_.Run(now_);
      ASSERT_LE(removed_ - before, ExpiryJob::kTurnEntries);
      ASSERT_LE(next, now_ + ExpiryJob::kPauseMax);
      if (next > end) break;
      now_ = std::max(next, now_ + 1);  // a turn takes time, of which this is plenty
    }
    now_ = end;
  }

  void OnEvictedEntry(int, const store::Entry&) override {}
  void OnExpiredEntry(const store::Entry& entry, bool in_background) override {
    EXPECT_TRUE(in_background);
    late_most_ = std::max(late_most_, now_ - entry.deadline());
    EXPECT_GE(now_, entry.deadline());
    ++removed_;
  }

  static std::unique_ptr<Keyspace> MakeKeyspace() {
    auto made = Keyspace::Create({.database_count = 1, .hash_seed = 7});
    CHECK(made.ok());
    return std::move(*made);
  }

  std::unique_ptr<Keyspace> keyspace_ = MakeKeyspace();
  UnixMillis now_ = kNow;
  ExpiryJob job_{*keyspace_, 0, kShardCount};
  UnixMillis late_most_ = 0;
  uint64_t removed_ = 0;
};

// The wheel's levels begin a slot every 2 s and every 131 s: all of that lies in the time run.
TEST_F(ExpiryJobTest, NoKeyIsLaterThanASlotAndAPauseWhateverItsDeadline) {
  constexpr int kKeys = 200'000;
  constexpr UnixMillis kSpread = 300'000;
  std::mt19937_64 random(5);
  const UnixMillis begin = now_ + 10'000;
  for (int i = 0; i < kKeys; ++i) {
    Set("k" + std::to_string(i), begin + static_cast<UnixMillis>(random() % kSpread));
  }
  RunUntil(begin + kSpread + 100);
  EXPECT_EQ(removed_, static_cast<uint64_t>(kKeys));
  EXPECT_LE(late_most_, kSlotWidth + ExpiryJob::kPauseMin);
}

TEST_F(ExpiryJobTest, AKeySetBetweenTwoTurnsIsLateByASlotAndTheLongestPauseAtMost) {
  for (int i = 0; i < 1000; ++i) {
    Set("k" + std::to_string(i), now_ + 1 + i % 7);
    RunUntil(now_ + 17);
  }
  RunUntil(now_ + 200);
  EXPECT_EQ(removed_, 1000u);
  EXPECT_LE(late_most_, kSlotWidth + ExpiryJob::kPauseMax);
}

TEST_F(ExpiryJobTest, ManyKeysDueAtOnceGoInShortTurnsThatFollowAtOnce) {
  constexpr uint64_t kKeys = 100'000;
  const UnixMillis deadline = now_ + 500;
  for (uint64_t i = 0; i < kKeys; ++i) Set("k" + std::to_string(i), deadline);
  RunUntil(deadline + 200);
  EXPECT_EQ(removed_, kKeys);
  // A slot, a pause, and a millisecond for each of the turns that so many keys need.
  const auto turns = static_cast<UnixMillis>(kKeys / ExpiryJob::kTurnEntries + 1);
  EXPECT_LE(late_most_, kSlotWidth + ExpiryJob::kPauseMin + turns);
}

TEST_F(ExpiryJobTest, WithNothingDueItRestsAsLongAsItMay) {
  EXPECT_EQ(job_.Run(now_), now_ + ExpiryJob::kPauseMax);
  Set("k", now_ + 1'000'000);
  EXPECT_EQ(job_.Run(now_), now_ + ExpiryJob::kPauseMax);
}

TEST_F(ExpiryJobTest, OnAReplicaItRemovesNothing) {
  Set("k", now_ + 10);
  keyspace_->set_may_expire(false);
  RunUntil(now_ + 500);
  EXPECT_EQ(removed_, 0u);
  EXPECT_EQ(keyspace_->KeyCount(0), 1u);
}

TEST_F(ExpiryJobTest, AShardInUseIsTriedAgainWithoutSpinning) {
  Set("k", now_ + 10);
  const Key key = keyspace_->hasher()("k");
  now_ += 100;
  {
    ShardGuard guard(keyspace_->lock(key.shard()));
    EXPECT_EQ(job_.Run(now_), now_ + ExpiryJob::kPauseMin);
  }
  job_.Run(now_);
  EXPECT_EQ(removed_, 1u);
}

}  // namespace
}  // namespace mikura::engine
