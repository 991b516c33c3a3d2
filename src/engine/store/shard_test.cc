// SPDX-License-Identifier: Apache-2.0
#include "engine/store/shard.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "engine/store/store_test_helpers.h"
#include "engine/store/table_sizes.h"

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

TEST(Shard, HintsLeadToTheEntry) {
  TestShard keys;
  constexpr int kKeys = 20000;
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(keys.Set(std::to_string(i), "v"));
  int at_once = 0;
  int in_next = 0;
  for (int i = 0; i < kKeys; ++i) {
    const std::string name = std::to_string(i);
    const Key key = keys.key(name);
    const char* const entry = keys.Find(name).entry.bytes();
    HashTable::Hint hint = keys.shard().HintedEntry(keys.shard().HintedBucket(0, key), key);
    at_once += hint.at == entry ? 1 : 0;
    if (!hint.is_bucket) continue;
    hint = keys.shard().HintedEntry(hint.at, key);
    in_next += hint.at == entry ? 1 : 0;
  }
  // Another key of the bucket may have the same hash byte.
  EXPECT_GT(at_once + in_next, kKeys * 0.96);
  EXPECT_GT(in_next, kKeys / 100);  // chains of two buckets occur
}

TEST(Shard, HintsOfWhatIsNotThereStayInTheRegion) {
  TestShard keys;
  const Key key = keys.key("k");
  const char* const bucket = keys.shard().HintedBucket(0, key);
  HashTable::LoadLine(bucket);
  HashTable::LoadEntry(keys.shard().HintedEntry(bucket, key).at);
  HashTable::LoadLine(keys.shard().HintedBucket(3, key));  // a database without keys
  std::string garbage(64, '\xFF');
  HashTable::LoadEntry(keys.shard().HintedEntry(garbage.data(), key).at);
  garbage.assign(64, static_cast<char>(TagOf(key.hash)));
  HashTable::LoadEntry(keys.shard().HintedEntry(garbage.data(), key).at);
}

TEST(Shard, OverwritesInPlaceWhenTheSizeClassIsTheSame) {
  TestShard keys;
  keys.Set("k", std::string(30, 'a'));
  char* const bytes = keys.Find("k").entry.bytes();
  keys.Set("k", std::string(31, 'b'));
  EXPECT_EQ(keys.Find("k").entry.bytes(), bytes);
  EXPECT_EQ(keys.Get("k"), std::string(31, 'b'));
}

TEST(Shard, TakesAnotherPlaceWhenTheSizeClassDiffers) {
  TestShard keys;
  keys.Set("k", "short");
  const uint64_t bytes_before = keys.shard().used_bytes();
  keys.Set("k", std::string(200, 'x'));
  EXPECT_EQ(keys.Get("k"), std::string(200, 'x'));
  EXPECT_GT(keys.shard().used_bytes(), bytes_before);
  keys.Set("k", "short");
  EXPECT_EQ(keys.shard().used_bytes(), bytes_before);
}

TEST(Shard, StoresValuesAndKeysOfAnySize) {
  TestShard keys;
  for (const size_t size : {0, 1, 127, 128, 300, 4096, 4097, 16384, 100000, 3000000}) {
    const std::string bytes(size, 'b');
    ASSERT_TRUE(keys.Set("k", bytes));
    EXPECT_EQ(keys.Get("k"), bytes);
    EXPECT_EQ(keys.Find("k").entry.is_external(), size > kInlineValueMax);
    ASSERT_TRUE(keys.Set(bytes, "long key"));
    EXPECT_EQ(keys.Get(bytes), "long key");
    keys.shard().CheckInvariants();
    EXPECT_TRUE(keys.Erase(bytes));
  }
}

TEST(Shard, KeepsTheMemcachedBlockThroughChangesInPlaceAndDropsItOnSet) {
  TestShard keys;
  const Key key = keys.key("k");
  const Attributes attributes{keys.clock().NowMillis() + 5000, true, 0xABCD, 77};
  Found found = *keys.shard().SetString(0, key, "value", attributes, keys.access());
  keys.Append("k", std::string(100, '!'));
  found = keys.Find("k");
  EXPECT_EQ(found.entry.attributes().memcached_flags, 0xABCDu);
  EXPECT_EQ(found.entry.attributes().cas, 77u);
  EXPECT_EQ(found.entry.deadline(), attributes.deadline);
  ASSERT_TRUE(keys.shard().SetDeadline(found, key, kNoDeadline).ok());
  EXPECT_TRUE(found.entry.attributes().has_memcached);
  EXPECT_EQ(found.entry.value(), "value" + std::string(100, '!'));
  keys.Set("k", "v");
  EXPECT_FALSE(keys.Find("k").entry.attributes().has_memcached);
}

TEST(Shard, OverwritesAMemcachedEntryOfTheSameLengthWithItsBlock) {
  TestShard keys;
  const Key key = keys.key("k");
  for (const size_t size : {0, 5, 127, 128, 4000}) {
    const std::string before(size, 'a');
    const std::string after(size, 'b');
    const Attributes first{kNoDeadline, true, 1, 7};
    char* const bytes = keys.shard().SetString(0, key, before, first, keys.access())->entry.bytes();
    const uint64_t used = keys.shard().used_bytes();
    const Attributes second{kNoDeadline, true, 0xABCDEF01, uint64_t{1} << 60, 2};
    const Entry entry = keys.shard().SetString(0, key, after, second, keys.access())->entry;
    EXPECT_EQ(entry.bytes(), bytes);
    EXPECT_EQ(entry.key(), "k");
    EXPECT_EQ(entry.value(), after);
    EXPECT_EQ(entry.attributes().memcached_flags, 0xABCDEF01u);
    EXPECT_EQ(entry.attributes().cas, uint64_t{1} << 60);
    EXPECT_EQ(entry.attributes().memcached_state, 2);
    EXPECT_FALSE(entry.has_deadline());
    EXPECT_EQ(keys.shard().used_bytes(), used);
    EXPECT_GT(keys.shard().NextCas(0), uint64_t{1} << 60);
    keys.shard().CheckInvariants();
    // With a deadline, or by a Redis client, it is another shape.
    Attributes mortal = second;
    mortal.deadline = keys.clock().NowMillis() + 5000;
    EXPECT_EQ(keys.shard().SetString(0, key, before, mortal, keys.access())->entry.deadline(),
              mortal.deadline);
    keys.Set("k", after);
    EXPECT_FALSE(keys.Find("k").entry.attributes().has_memcached);
    keys.Erase("k");
  }
}

TEST(Shard, GivesOutEachCasOnce) {
  TestShard keys;
  const uint64_t first = keys.shard().NextCas(5);
  EXPECT_NE(first, 0u);
  EXPECT_NE(first, keys.shard().NextCas(5));
  // One that arrives from a primary is not given out again after a failover.
  const uint64_t from_elsewhere = first + 1000 * kShardCount;
  ASSERT_TRUE(
      keys.shard()
          .SetString(0, keys.key("k"), "v", {kNoDeadline, true, 0, from_elsewhere}, keys.access())
          .ok());
  EXPECT_GT(keys.shard().NextCas(5), from_elsewhere);
}

TEST(Shard, GrowsAStringByManyAppendsWithFewCopies) {
  TestShard keys;
  keys.Set("k", "");
  std::string expected;
  char* block = nullptr;
  int moves = 0;
  for (int i = 0; i < 20000; ++i) {
    ASSERT_TRUE(keys.Append("k", "0123456789"));
    expected += "0123456789";
    const Found found = keys.Find("k");
    if (!found.entry.is_external()) continue;
    char* const now = found.entry.block()->bytes();
    moves += now != block ? 1 : 0;
    block = now;
  }
  EXPECT_EQ(keys.Get("k"), expected);
  EXPECT_LE(moves, 10);
  keys.shard().CheckInvariants();
}

TEST(Shard, FillsAGrownStringWithZerosAndCutsAShrunkOne) {
  TestShard keys;
  keys.Set("k", "abc");
  Found found = keys.Find("k");
  ASSERT_TRUE(keys.shard().ResizeString(found, keys.key("k"), 5).ok());
  EXPECT_EQ(keys.Get("k"), std::string("abc\0\0", 5));
  ASSERT_TRUE(keys.shard().ResizeString(found, keys.key("k"), 9000).ok());
  EXPECT_EQ(found.entry.value(), "abc" + std::string(8997, '\0'));
  ASSERT_TRUE(keys.shard().ResizeString(found, keys.key("k"), 2).ok());
  EXPECT_EQ(keys.Get("k"), "ab");
  EXPECT_FALSE(found.entry.is_external());
}

TEST(Shard, SharesALargeValueWithItsCopyUntilOneChanges) {
  TestShard keys;
  const std::string large(50000, 'a');
  keys.Set("k", large);
  const Found source = keys.Find("k");
  ASSERT_TRUE(
      keys.shard().CopyFrom(source.entry, 2, keys.key("copy"), kNoDeadline, keys.access()).ok());
  EXPECT_EQ(keys.Find("copy", 2).entry.block(), keys.Find("k").entry.block());
  EXPECT_LT(keys.allocator().gauge().ExactBytes(), 60000);
  keys.Append("copy", "b", 2);
  EXPECT_EQ(keys.Get("k"), large);
  EXPECT_EQ(keys.Get("copy", 2), large + "b");
}

TEST(Shard, CountsUsesUpToThreeAndPeekDoesNot) {
  TestShard keys;
  keys.Set("k", "v");
  const auto peek = [&] {
    return keys.shard().Peek(0, keys.key("k"), keys.access()).entry.use_counter();
  };
  EXPECT_EQ(peek(), 0);
  for (int i = 0; i < 5; ++i) keys.Find("k");
  EXPECT_EQ(peek(), 3);
  keys.Set("k", "w");
  keys.Set("k", std::string(90, 'w'));
  EXPECT_EQ(peek(), 3);
  EXPECT_EQ(keys.Get("k"), std::string(90, 'w'));
}

TEST(Shard, HandsOutAWholeDatabaseAtOnce) {
  TestShard keys;
  for (int i = 0; i < 1000; ++i) keys.Set(std::to_string(i), "v");
  const std::shared_ptr<Table> detached = keys.shard().DetachDatabase(0);
  EXPECT_EQ(keys.shard().key_count(0), 0u);
  EXPECT_EQ(keys.Get("1"), std::nullopt);
  EXPECT_EQ(detached->key_count(), 1000);
  EXPECT_EQ(keys.shard().used_bytes(), 0u);
  EXPECT_GT(keys.allocator().gauge().ExactBytes(), 12000);
  EXPECT_EQ(keys.shard().DetachDatabase(0), nullptr);
  keys.Set("1", "again");
  EXPECT_EQ(keys.Get("1"), "again");
}

TEST(Shard, FindsARandomKeyOfEachChain) {
  TestShard keys;
  std::map<std::string, int> drawn;
  for (int i = 0; i < 50; ++i) keys.Set(std::to_string(i), "v");
  keys.Set("expired", "v", 0ms);
  std::mt19937_64 random(5);
  for (int i = 0; i < 20000; ++i) {
    const Found found = keys.shard().Random(0, random(), keys.access());
    ASSERT_TRUE(found);
    ++drawn[std::string(found.entry.key())];
  }
  EXPECT_EQ(drawn.size(), 50u);
  EXPECT_FALSE(drawn.contains("expired"));
  EXPECT_FALSE(keys.shard().Random(1, 7, keys.access()));
}

TEST(Shard, RefusesAWriteWithoutMemoryAndStaysWhole) {
  TestShard keys(uint64_t{16} << 20);
  int stored = 0;
  while (keys.Set(std::to_string(stored), std::string(500, 'x'), 1h)) ++stored;
  EXPECT_GT(stored, 10000);
  keys.shard().CheckInvariants();
  for (int i = 0; i < stored; ++i) ASSERT_EQ(keys.Get(std::to_string(i)), std::string(500, 'x'));
  Found found = keys.Find("1");
  // A size class that nothing has used so far, bucket pages (multiples of 64 bytes) included.
  const auto resized = keys.shard().ResizeString(found, keys.key("1"), 455);
  ASSERT_FALSE(resized.ok());
  EXPECT_EQ(resized.error(), Fault::kOutOfMemory);
  EXPECT_EQ(keys.Get("1"), std::string(500, 'x'));
  for (int i = 0; i < stored; ++i) ASSERT_TRUE(keys.Erase(std::to_string(i)));
  keys.shard().CheckInvariants();
  EXPECT_TRUE(keys.Set("again", std::string(500, 'x')));
}

TEST(Shard, SizesOfTablesAreSpreadOverTheShards) {
  // The number of shards that grow while the keys per shard go from 4,400 to 4,450: with one list
  // of sizes it would be none or all.
  int growing = 0;
  for (uint32_t shard = 0; shard < kShardCount; ++shard) {
    uint32_t size = 1;
    while (IsTooFull(4400, size)) size = LargerSize(size, shard);
    growing += IsTooFull(4450, size) ? 1 : 0;
  }
  EXPECT_GT(growing, 20);
  EXPECT_LT(growing, 100);
}

}  // namespace
}  // namespace mikura::engine::store
