// SPDX-License-Identifier: Apache-2.0
// What may be called without the shard's lock, while another thread changes the shard: run it under
// the thread sanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "engine/store/store_test_helpers.h"

namespace mikura::engine::store {
namespace {

TEST(ShardHints, AreHarmlessWhileTheShardChanges) {
  TestShard keys;
  std::atomic<bool> stop{false};  // publishes nothing but itself, to the thread with the hints
  std::atomic<uint64_t> hints{0};
  std::thread reader([&] {
    uint64_t count = 0;
    for (uint64_t i = 0; !stop.load(std::memory_order_relaxed) || i < 1000; ++i) {
      const std::string name = std::to_string(i % 5000);
      const Key key = keys.key(name);
      const char* const bucket = keys.shard().HintedBucket(static_cast<int>(i % 2), key);
      HashTable::LoadLine(bucket);
      HashTable::Hint hint = keys.shard().HintedEntry(bucket, key);
      HashTable::LoadEntry(hint.at);
      if (hint.is_bucket) hint = keys.shard().HintedEntry(hint.at, key);
      HashTable::LoadEntry(hint.at);
      count += keys.shard().key_count(1) + keys.shard().used_bytes() > 0 ? 1 : 0;
      (void)keys.shard().next_expiry();
    }
    hints = count;
  });
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 5000; ++i) {
      ASSERT_TRUE(keys.Set(std::to_string(i), "v", std::chrono::hours(1), i % 2));
    }
    if (round == 1) keys.shard().SwapDatabases(0, 1);
    if (round == 2) keys.shard().DetachDatabase(0);
    for (int i = 0; i < 5000; i += 2) keys.Erase(std::to_string(i), 0);
  }
  stop.store(true, std::memory_order_relaxed);
  reader.join();
  EXPECT_GT(hints.load(), 0u);
  keys.shard().CheckInvariants();
}

TEST(SharedValues, CanBeReadWhileTheKeyGoesOn) {
  TestShard keys;
  const std::string large(9000, 'a');
  keys.Set("k", large);
  SharedValue value = keys.Find("k").entry.Share();
  std::thread reader([&] {
    EXPECT_EQ(value.view(), large);
    value = SharedValue();
  });
  keys.Append("k", "b");
  keys.Set("k", std::string(9000, 'c'));
  keys.Erase("k");
  reader.join();
  while (!keys.shard().ResizeStep(10)) {
  }
  EXPECT_EQ(keys.allocator().gauge().ExactBytes(), static_cast<int64_t>(keys.shard().used_bytes()));
}

}  // namespace
}  // namespace mikura::engine::store
