// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/evictor.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "engine/keyspace/keyspace.h"

namespace mikura::engine {
namespace {

constexpr UnixMillis kNow = 1'750'000'000'000;
constexpr uint64_t kLimitBytes = 4 << 20;

class EvictorTest : public testing::TestWithParam<const char*> {
 protected:
  EvictorTest() {
    auto made = Keyspace::Create({.database_count = 2, .hash_seed = 7});
    CHECK(made.ok());
    keyspace_ = std::move(*made);
  }

  void Configure(std::string_view policy, uint64_t limit_bytes = kLimitBytes) {
    store::EvictionSettings settings;
    settings.policy = *store::ParseEvictionPolicy(policy);
    settings.tracking = store::TrackingFor(settings.policy, 10, 1);
    keyspace_->evictor().Configure(settings, limit_bytes);
  }
  // As a client's SET: makes room, then writes. False when there was no room.
  bool Set(const std::string& name, const std::string& value, bool with_deadline = false) {
    const std::string_view words[] = {name, value};
    if (!keyspace_->MakeRoom(limit_bytes_, words, kNow)) return false;
    const Key key = keyspace_->hasher()(name);
    store::Attributes attributes;
    if (with_deadline) attributes.deadline = kNow + 1'000'000;
    ShardGuard guard(keyspace_->lock(key.shard()));
    return keyspace_->LockedShard(key.shard())
        .SetString(0, key, value, attributes, keyspace_->AccessAt(kNow))
        .ok();
  }
  bool Has(const std::string& name) {
    const Key key = keyspace_->hasher()(name);
    ShardGuard guard(keyspace_->lock(key.shard()));
    return static_cast<bool>(
        keyspace_->LockedShard(key.shard()).Peek(0, key, keyspace_->AccessAt(kNow)));
  }
  void CheckInvariants() {
    keyspace_->ForEachShard({}, [](uint32_t, store::Shard& shard) { shard.CheckInvariants(); });
  }

  std::unique_ptr<Keyspace> keyspace_;
  uint64_t limit_bytes_ = kLimitBytes;  // changed only while one thread runs
};

TEST_P(EvictorTest, HoldsTheLimitWithFourWriters) {
  Configure(GetParam());
  std::atomic<int> refused{0};  // publishes nothing but itself, after the threads have ended
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 10'000; ++i) {
        const std::string name = std::to_string(writer) + ":" + std::to_string(i);
        if (!Set(name, std::string(200 + i % 1000, 'v'), true)) ++refused;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(refused, 0);
  EXPECT_LE(keyspace_->UsedBytes(), kLimitBytes * 102 / 100);
  EXPECT_GE(keyspace_->UsedBytes(), kLimitBytes * 90 / 100);
  EXPECT_GT(keyspace_->EvictedTotal(), 20'000u);
  CheckInvariants();
}

TEST_P(EvictorTest, GoesOnAfterAFlush) {
  Configure(GetParam());
  const std::string value(1000, 'v');
  for (int i = 0; i < 6000; ++i) ASSERT_TRUE(Set("k" + std::to_string(i), value, true));
  Effects effects;
  keyspace_->FlushAll(effects);
  for (int i = 0; i < 12000; ++i) ASSERT_TRUE(Set("k" + std::to_string(i % 9000), value, true));
  EXPECT_LE(keyspace_->UsedBytes(), kLimitBytes * 102 / 100);
  CheckInvariants();
}

TEST_P(EvictorTest, TakesOverKeysThatWereThereBefore) {
  Configure("noeviction");
  const std::string value(1000, 'v');
  int stored = 0;
  while (Set("k" + std::to_string(stored), value, true)) ++stored;
  Configure(GetParam());
  for (int i = 0; i < stored; ++i) ASSERT_TRUE(Set("new" + std::to_string(i), value, true)) << i;
  EXPECT_LE(keyspace_->UsedBytes(), kLimitBytes * 102 / 100);
}

INSTANTIATE_TEST_SUITE_P(Policies, EvictorTest,
                         testing::Values("allkeys-lru", "allkeys-lfu", "allkeys-random",
                                         "volatile-lru", "volatile-lfu", "volatile-random",
                                         "volatile-ttl", "allkeys-s3fifo", "volatile-s3fifo"));

using Evicting = EvictorTest;

TEST_F(Evicting, ChangesItsPolicyWhileOthersWrite) {
  std::atomic<bool> stopping{false};  // publishes nothing but itself, to the writers
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 2; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; !stopping.load(std::memory_order_relaxed); ++i) {
        Set(std::to_string(writer) + ":" + std::to_string(i), std::string(500, 'v'), i % 2 == 0);
      }
    });
  }
  const char* policies[] = {"allkeys-s3fifo", "volatile-s3fifo", "allkeys-lru",
                            "noeviction",     "allkeys-s3fifo",  "volatile-ttl"};
  for (int i = 0; i < 60; ++i) {
    Configure(policies[i % std::size(policies)]);
    keyspace_->MaintainShards(0, kShardCount);
    keyspace_->Maintain(true, kNow);
  }
  stopping = true;
  for (std::thread& writer : writers) writer.join();
  Configure("allkeys-s3fifo");
  for (int i = 0; i < 8000; ++i)
    ASSERT_TRUE(Set("last" + std::to_string(i), std::string(500, 'v')));
  EXPECT_LE(keyspace_->UsedBytes(), kLimitBytes * 102 / 100);
  CheckInvariants();
}

// Up to 64 MiB there is one domain, above there are sixteen.
TEST_F(Evicting, HoldsALimitForWhichThereAreSeveralDomains) {
  limit_bytes_ = 80 << 20;
  Configure("allkeys-s3fifo", limit_bytes_);
  const std::string value(16 << 10, 'v');
  for (int i = 0; i < 12'000; ++i) ASSERT_TRUE(Set("k" + std::to_string(i), value));
  EXPECT_LE(keyspace_->UsedBytes(), limit_bytes_ * 102 / 100);
  EXPECT_GE(keyspace_->UsedBytes(), limit_bytes_ * 90 / 100);
  CheckInvariants();
}

TEST_F(Evicting, ChangesTheNumberOfDomainsWhileOthersWrite) {
  std::atomic<bool> stopping{false};  // publishes nothing but itself, to the writers
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 2; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; !stopping.load(std::memory_order_relaxed); ++i) {
        Set(std::to_string(writer) + ":" + std::to_string(i), std::string(500, 'v'));
      }
    });
  }
  for (int i = 0; i < 60; ++i) {
    Configure("allkeys-s3fifo", i % 2 == 0 ? kLimitBytes : 100 << 20);
    keyspace_->MaintainShards(0, kShardCount);
    keyspace_->Maintain(true, kNow);
  }
  stopping = true;
  for (std::thread& writer : writers) writer.join();
  for (const uint64_t limit : {uint64_t{100} << 20, kLimitBytes}) {
    Configure("allkeys-s3fifo", limit);
    for (int i = 0; i < 8000; ++i)
      ASSERT_TRUE(Set("last" + std::to_string(i), std::string(500, 'v')));
    EXPECT_LE(keyspace_->UsedBytes(), kLimitBytes * 102 / 100);
    CheckInvariants();
  }
}

TEST_F(Evicting, LeavesKeysAloneWhenNoneHasADeadline) {
  Configure("volatile-lru");
  const std::string value(1000, 'v');
  int stored = 0;
  while (Set("k" + std::to_string(stored), value)) ++stored;
  EXPECT_GT(stored, 3000);
  EXPECT_EQ(keyspace_->EvictedTotal(), 0u);
  for (int i = 0; i < stored; ++i) ASSERT_TRUE(Has("k" + std::to_string(i)));
}

TEST_F(Evicting, IsLeftToThePrimaryOnAReplica) {
  Configure("allkeys-s3fifo");
  keyspace_->set_may_expire(false);
  for (int i = 0; i < 8000; ++i) ASSERT_TRUE(Set("k" + std::to_string(i), std::string(1000, 'v')));
  EXPECT_GT(keyspace_->UsedBytes(), kLimitBytes * 3 / 2);
  keyspace_->Maintain(true, kNow);
  EXPECT_EQ(keyspace_->EvictedTotal(), 0u);
}

TEST_F(Evicting, ComesDownToALowerLimitInTheBackground) {
  Configure("allkeys-lru");
  for (int i = 0; i < 3000; ++i) ASSERT_TRUE(Set("k" + std::to_string(i), std::string(1000, 'v')));
  Configure("allkeys-lru", kLimitBytes / 4);
  for (int turn = 0; turn < 40; ++turn) keyspace_->Maintain(true, kNow);
  EXPECT_LE(keyspace_->UsedBytes(), kLimitBytes / 4 * 102 / 100);
}

TEST_F(Evicting, MakesRoomForALargeValueBesideSmallOnes) {
  Configure("allkeys-s3fifo");
  for (int i = 0; i < 60'000; ++i) ASSERT_TRUE(Set("k" + std::to_string(i), "small"));
  ASSERT_TRUE(Set("large", std::string(1 << 20, 'v')));
  EXPECT_LE(keyspace_->UsedBytes(), kLimitBytes * 102 / 100);
  EXPECT_TRUE(Has("large"));
}

TEST_F(Evicting, KeepsNothingWithoutALimitOrAPolicy) {
  Configure("allkeys-s3fifo", 0);
  ASSERT_TRUE(Set("k", "v"));
  EXPECT_EQ(keyspace_->evictor().MemoryBytes(), 0u);
  Configure("allkeys-s3fifo");
  ASSERT_TRUE(Set("k2", "v"));
  keyspace_->Maintain(true, kNow);
  ASSERT_TRUE(Set("k3", "v"));
  EXPECT_GT(keyspace_->evictor().MemoryBytes(), 0u);
  Configure("noeviction");
  EXPECT_EQ(keyspace_->evictor().MemoryBytes(), 0u);
}

TEST(EvictionPool, KeepsTheBest) {
  EvictionPool pool;
  for (uint32_t i = 0; i < 100; ++i) pool.Add({{.score = (i * 37) % 100}, i});
  for (uint64_t score = 99; score > 99 - EvictionPool::kSize; --score) {
    ASSERT_FALSE(pool.empty());
    EXPECT_EQ(pool.TakeBest().candidate.score, score);
  }
  EXPECT_TRUE(pool.empty());
}

}  // namespace
}  // namespace mikura::engine
