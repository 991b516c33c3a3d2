// SPDX-License-Identifier: Apache-2.0
#include "engine/store/shard.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/store/store_test_helpers.h"

namespace mikura::engine::store {
namespace {

using namespace std::chrono_literals;

TEST(Shard, GivesBackWhatWasSet) {
  TestShard keys;
  EXPECT_EQ(keys.Get("k"), std::nullopt);
  keys.Set("k", "v");
  EXPECT_EQ(keys.Get("k"), "v");
  EXPECT_EQ(keys.shard().key_count(0), 1u);
  keys.shard().CheckInvariants();
}

TEST(Shard, KeepsDatabasesApart) {
  TestShard keys;
  keys.Set("k", "zero");
  keys.Set("k", "two", std::chrono::milliseconds::max(), 2);
  EXPECT_EQ(keys.Get("k"), "zero");
  EXPECT_EQ(keys.Get("k", 2), "two");
  EXPECT_EQ(keys.Get("k", 1), std::nullopt);
}

TEST(Shard, HoldsManyKeysThroughGrowthAndShrinking) {
  TestShard keys;
  constexpr int kKeys = 20000;
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(keys.Set(std::to_string(i), std::to_string(i * 7)));
  keys.shard().CheckInvariants();
  for (int i = 0; i < kKeys; ++i) ASSERT_EQ(keys.Get(std::to_string(i)), std::to_string(i * 7));
  for (int i = 0; i < kKeys; i += 2) ASSERT_TRUE(keys.Erase(std::to_string(i)));
  keys.shard().CheckInvariants();
  for (int i = 0; i < kKeys; ++i) {
    ASSERT_EQ(keys.Get(std::to_string(i)).has_value(), i % 2 == 1) << i;
  }
  const uint64_t bytes_of_half = keys.shard().used_bytes();
  for (int i = 1; i < kKeys; i += 2) ASSERT_TRUE(keys.Erase(std::to_string(i)));
  while (!keys.shard().ResizeStep(16)) {
  }
  keys.shard().CheckInvariants();
  EXPECT_EQ(keys.shard().key_count(0), 0u);
  EXPECT_LT(keys.shard().used_bytes(), 1000u);
  EXPECT_GT(bytes_of_half, 10000u * 12);
}

TEST(Shard, OverwritesInPlaceWhenTheSizeClassIsTheSame) {
  TestShard keys;
  keys.Set("k", std::string(30, 'a'));
  char* const bytes = keys.Find("k").entry.bytes();
  keys.Set("k", std::string(31, 'b'));
  EXPECT_EQ(keys.Find("k").entry.bytes(), bytes);
  EXPECT_EQ(keys.Get("k"), std::string(31, 'b'));
}

}  // namespace
}  // namespace mikura::engine::store
