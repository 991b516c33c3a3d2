// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engine/commands/memcached_test_support.h"

namespace mikura::engine {
namespace {

class MemcachedStats : public testing::Test {
 public:
  std::string Run(std::string_view input) { return memcached.Run(input); }
  // The value of one statistic; "absent" when it is not shown.
  std::string Stat(const std::string& which, const std::string& name) {
    const std::string all = Run("stats" + which + "\r\n");
    const size_t at = all.find("STAT " + name + " ");
    if (at == std::string::npos) return "absent";
    const size_t begin = at + 6 + name.size();
    return all.substr(begin, all.find("\r\n", begin) - begin);
  }

  CommandRunner redis;
  MemcachedRunner memcached{redis};
};

// The sizes `stats slabs` of memcached 1.6.18 shows with its defaults.
TEST(MemcachedClasses, AreThoseOfMemcached) {
  const MemcachedClasses classes;
  EXPECT_EQ(classes.ChunkBytes(1), 96u);
  EXPECT_EQ(classes.ChunkBytes(2), 120u);
  EXPECT_EQ(classes.ChunkBytes(3), 152u);
  EXPECT_EQ(classes.ClassOf(61), 1u);
  EXPECT_EQ(classes.ClassOf(96), 1u);
  EXPECT_EQ(classes.ClassOf(97), 2u);
  EXPECT_EQ(classes.ClassOf(MemcachedEntryBytes(4, 66560, 0)), 31u);
  EXPECT_EQ(classes.ClassOf(size_t{1} << 30), classes.count());
  EXPECT_EQ(classes.ChunkBytes(classes.count()), 524288u);
}

TEST_F(MemcachedStats, ItemsAndSlabsCountEntriesByClass) {
  for (int i = 0; i < 30; ++i) memcached.Set("key" + std::to_string(i), "x");
  memcached.Set("big", std::string(66560, 'x'));
  EXPECT_EQ(Stat(" items", "items:1:number"), "30");
  EXPECT_EQ(Stat(" items", "items:31:number"), "1");
  EXPECT_EQ(Stat(" slabs", "1:used_chunks"), "30");
  EXPECT_EQ(Stat(" slabs", "31:total_pages"), "1");
  EXPECT_EQ(Stat(" slabs", "active_slabs"), "2");
  EXPECT_EQ(Stat(" slabs", "total_malloced"), std::to_string(2 << 20));
}

TEST_F(MemcachedStats, AClassStaysWhenItsEntriesWentByThemselves) {
  memcached.fakes().class_counters.Add(5, MemcachedRemoval::kReclaimed);
  EXPECT_EQ(Stat(" items", "items:5:reclaimed"), "1");
  EXPECT_EQ(Stat(" slabs", "5:used_chunks"), "0");
  EXPECT_EQ(Stat(" slabs", "active_slabs"), "0");
  Run("stats reset\r\n");
  EXPECT_EQ(Stat(" items", "items:5:reclaimed"), "absent");
}

TEST_F(MemcachedStats, CacheDumpShowsKeysOfOneClass) {
  memcached.Set("a", "1");
  memcached.Set("big", std::string(5000, 'x'));
  EXPECT_EQ(Run("stats cachedump 1 0\r\n"), "ITEM a [1 b; 0 s]\r\nEND\r\n");
  EXPECT_EQ(Run("stats cachedump 64 0\r\n"), "CLIENT_ERROR Illegal slab id\r\n");
  EXPECT_EQ(Run("stats cachedump 1\r\n"), "CLIENT_ERROR bad command line\r\n");
}

TEST_F(MemcachedStats, PrefixesAreCountedWhileTheyAreOn) {
  MemcachedPrefixes& prefixes = memcached.fakes().prefixes;
  prefixes.CountSet("foo:1");
  EXPECT_EQ(Run("stats detail dump\r\n"), "END\r\n");
  EXPECT_EQ(Run("stats detail on\r\n"), "OK\r\n");
  EXPECT_EQ(Stat(" settings", "detail_enabled"), "yes");
  prefixes.CountSet("foo:1");
  prefixes.CountGet("foo:1", true);
  prefixes.CountGet("foo:2", false);
  prefixes.CountDelete("bar:2");
  prefixes.CountSet("none");
  EXPECT_EQ(Run("stats detail dump\r\n"),
            "PREFIX bar get 0 hit 0 set 0 del 1\r\n"
            "PREFIX foo get 2 hit 1 set 1 del 0\r\nEND\r\n");
  EXPECT_EQ(Run("stats reset\r\nstats detail dump\r\n"), "RESET\r\nEND\r\n");
  EXPECT_EQ(Run("stats detail\r\n"), "CLIENT_ERROR usage: stats detail on|off|dump\r\n");
}

TEST_F(MemcachedStats, PrefixesAreBounded) {
  MemcachedPrefixes prefixes('/', true);
  for (size_t i = 0; i < MemcachedPrefixes::kPrefixesMax + 10; ++i) {
    prefixes.CountSet(std::to_string(i) + "/x");
  }
  const std::string dump = prefixes.Dump();
  EXPECT_EQ(std::count(dump.begin(), dump.end(), '\n'), MemcachedPrefixes::kPrefixesMax + 1);
}

TEST_F(MemcachedStats, TuningIsRememberedAndShown) {
  EXPECT_EQ(Run("lru tune 30 40 0.5 1\r\nlru mode flat\r\nlru temp_ttl 5\r\n"),
            "OK\r\nOK\r\nOK\r\n");
  EXPECT_EQ(Stat(" settings", "hot_lru_pct"), "30");
  EXPECT_EQ(Stat(" settings", "hot_max_factor"), "0.50");
  EXPECT_EQ(Stat(" settings", "lru_segmented"), "no");
  EXPECT_EQ(Stat(" settings", "temporary_ttl"), "5");
  EXPECT_EQ(Run("lru tune 50 50 1 1\r\n"), "ERROR hot and warm pcts must not exceed 80\r\n");
  EXPECT_EQ(Run("lru tune 4294967295 2 1 1\r\n"), "ERROR hot and warm pcts must not exceed 80\r\n");
  EXPECT_EQ(Run("lru_crawler sleep 5\r\nlru_crawler tocrawl 7\r\nslabs automove 0\r\n"),
            "OK\r\nOK\r\nOK\r\n");
  EXPECT_EQ(Stat(" settings", "slab_automove"), "0");
  EXPECT_EQ(Run("slabs automove x\r\n"), "CLIENT_ERROR bad command line format\r\n");
}

TEST_F(MemcachedStats, NoPageIsEverMovedBetweenClasses) {
  EXPECT_EQ(Run("slabs reassign 1 2\r\n"), "NOSPARE source class has no spare pages\r\n");
  EXPECT_EQ(Run("slabs reassign 1 1\r\n"), "SAME src and dst class are identical\r\n");
  EXPECT_EQ(Run("slabs reassign 1 99\r\n"), "BADCLASS invalid src or dst class id\r\n");
  EXPECT_EQ(Run("slabs\r\nslabs foo\r\n"), "ERROR\r\nERROR\r\n");
}

TEST_F(MemcachedStats, FlushedEntriesCountAsReclaimed) {
  memcached.Set("a", "1");
  Run("flush_all\r\n");
  EXPECT_EQ(memcached.counters().flushed.Get(), 1u);
}

TEST_F(MemcachedStats, AGetOfAFlushedKeyIsCountedOnce) {
  memcached.Set("a", "1");
  memcached.Set("b", "1");
  EXPECT_EQ(Run("flush_all\r\nget a a b c\r\nmg b\r\n"), "OK\r\nEND\r\nEN\r\n");
  EXPECT_EQ(memcached.counters().get_flushed.Get(), 2u);
  EXPECT_EQ(memcached.counters().get_misses.Get(), 5u);
  Run("flush_all\r\nget a\r\n");
  EXPECT_EQ(memcached.counters().get_flushed.Get(), 2u) << "the second flush removed nothing";
}

TEST_F(MemcachedStats, AGetOfAKeyThatExpiredInTheBackgroundIsCountedOnce) {
  memcached.fakes().expired_keys.Note(redis.keyspace().hasher()("a").hash);
  Run("get b a a\r\n");
  EXPECT_EQ(memcached.counters().get_expired.Get(), 1u);
}

TEST_F(MemcachedStats, AnEntryThatCameExpiredIsThereUntilItIsFound) {
  EXPECT_EQ(memcached.Set("old", "x", "0", "-1"), "STORED\r\n");
  EXPECT_EQ(redis.keyspace().KeyCount(0), 1u);
  EXPECT_EQ(Run("get old\r\n"), "END\r\n");
  EXPECT_EQ(redis.keyspace().KeyCount(0), 0u);
  EXPECT_EQ(redis.keyspace().ExpiredTotal(), 1u);
}

TEST_F(MemcachedStats, AnExpiredEntryReachesReplicasAsGone) {
  CommandRunner replica;
  memcached.ReplicateTo(replica);
  memcached.Set("old", "x");
  memcached.Set("old", "y", "0", "-1");
  EXPECT_EQ(replica.Run("GET old"), "$-1 ");
}

TEST_F(MemcachedStats, WithoutCasASetInTheSecondOfAFlushIsLost) {
  memcached.settings().cas_enabled = false;
  Run("flush_all\r\n");
  EXPECT_EQ(memcached.Set("a", "1"), "STORED\r\n");
  EXPECT_EQ(Run("get a\r\n"), "END\r\n");
  redis.clock().Advance(std::chrono::seconds(1));
  memcached.Set("a", "1");
  EXPECT_EQ(Run("get a\r\n"), "VALUE a 0 1\r\n1\r\nEND\r\n");
}

TEST_F(MemcachedStats, WithoutCasEveryEntryHasNumberZero) {
  memcached.settings().cas_enabled = false;
  memcached.Set("a", "1");
  EXPECT_EQ(memcached.CasOf("a"), "0");
  EXPECT_EQ(Stat(" settings", "cas_enabled"), "no");
}

}  // namespace
}  // namespace mikura::engine
