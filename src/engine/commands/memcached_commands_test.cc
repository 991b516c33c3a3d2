// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/memcached_commands.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/commands/memcached_test_support.h"

namespace mikura::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Memcached : public testing::Test {
 public:
  std::string Run(std::string_view input) { return memcached.Run(input); }
  std::string Get(std::string_view key) { return Run(fmt::format("get {}\r\n", key)); }

  CommandRunner redis;
  MemcachedRunner memcached{redis};
};

constexpr std::string_view kEnd = "END\r\n";
constexpr std::string_view kNotNumeric =
    "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n";

TEST_F(Memcached, GetsWhatWasSet) {
  EXPECT_EQ(memcached.Set("a", "x\r\ny", "4294967295"), "STORED\r\n");
  EXPECT_EQ(Run("get a b a\r\n"),
            "VALUE a 4294967295 4\r\nx\r\ny\r\nVALUE a 4294967295 4\r\nx\r\ny\r\nEND\r\n");
  EXPECT_EQ(Get("b"), kEnd);
}

TEST_F(Memcached, StoresOnlyWhenTheConditionHolds) {
  EXPECT_EQ(Run("replace a 0 0 1\r\nx\r\nappend a 0 0 1\r\nx\r\nprepend a 0 0 1\r\nx\r\n"),
            "NOT_STORED\r\nNOT_STORED\r\nNOT_STORED\r\n");
  EXPECT_EQ(Run("add a 1 0 1\r\nx\r\nadd a 0 0 1\r\ny\r\n"), "STORED\r\nNOT_STORED\r\n");
  EXPECT_EQ(Run("append a 9 9 2\r\nyy\r\nprepend a 9 9 1\r\nw\r\n"), "STORED\r\nSTORED\r\n");
  EXPECT_EQ(Get("a"), "VALUE a 1 4\r\nwxyy\r\nEND\r\n");
  EXPECT_EQ(Run("replace a 0 0 1\r\nz\r\n"), "STORED\r\n");
  EXPECT_EQ(Get("a"), "VALUE a 0 1\r\nz\r\nEND\r\n");
}

TEST_F(Memcached, ExtendsLargeValues) {
  const std::string large(5000, 'l');
  memcached.Set("a", large);
  EXPECT_EQ(Run("prepend a 0 0 1\r\n<\r\nappend a 0 0 1\r\n>\r\n"), "STORED\r\nSTORED\r\n");
  EXPECT_EQ(Get("a"), "VALUE a 0 5002\r\n<" + large + ">\r\nEND\r\n");
}

TEST_F(Memcached, CasStoresOnlyOverTheValueThatWasSeen) {
  EXPECT_EQ(Run("cas a 0 0 1 1\r\nx\r\n"), "NOT_FOUND\r\n");
  memcached.Set("a", "1");
  const std::string cas = memcached.CasOf("a");
  memcached.Set("a", "2");
  EXPECT_NE(memcached.CasOf("a"), cas);
  EXPECT_EQ(Run("cas a 0 0 1 " + cas + "\r\nx\r\n"), "EXISTS\r\n");
  EXPECT_EQ(Run("cas a 0 0 1 " + memcached.CasOf("a") + "\r\nx\r\n"), "STORED\r\n");
  EXPECT_EQ(Get("a"), "VALUE a 0 1\r\nx\r\nEND\r\n");
}

TEST_F(Memcached, EveryChangeOfAValueChangesItsCas) {
  memcached.Set("a", "10");
  std::string last = memcached.CasOf("a");
  for (const char* change : {"set a 0 0 2\r\n10\r\n", "append a 0 0 0\r\n\r\n", "incr a 0\r\n",
                             "ma a D0\r\n", "md a I\r\n", "ms a 2\r\n10\r\n"}) {
    Run(change);
    EXPECT_NE(memcached.CasOf("a"), last) << change;
    last = memcached.CasOf("a");
  }
  Run("touch a 100\r\n");
  EXPECT_EQ(memcached.CasOf("a"), last);
}

TEST_F(Memcached, ACasIsNewEvenAfterADeleteInTheSameMillisecond) {
  memcached.Set("a", "1");
  const std::string cas = memcached.CasOf("a");
  Run("delete a\r\n");
  memcached.Set("a", "1");
  EXPECT_NE(memcached.CasOf("a"), cas);
}

TEST_F(Memcached, ExpiryTimesAreRelativeUpToThirtyDays) {
  memcached.Set("relative", "x", "0", "2592000");
  const int64_t absolute = redis.clock().NowMillis() / 1000 + 2;
  memcached.Set("absolute", "x", "0", std::to_string(absolute));
  memcached.Set("past", "x", "0", "2592001");
  EXPECT_EQ(memcached.Set("negative", "x", "0", "-1"), "STORED\r\n");
  EXPECT_EQ(Run("get past negative\r\n"), kEnd);
  redis.clock().Advance(seconds(2) + milliseconds(999));
  EXPECT_EQ(Get("absolute"), kEnd);
  EXPECT_NE(Get("relative"), kEnd);
}

TEST_F(Memcached, TouchAndGatMoveTheDeadline) {
  memcached.Set("a", "x", "0", "1");
  EXPECT_EQ(Run("touch a 10\r\ntouch b 10\r\n"), "TOUCHED\r\nNOT_FOUND\r\n");
  redis.clock().Advance(seconds(9));
  EXPECT_EQ(Run("gat 0 a b\r\n"), "VALUE a 0 1\r\nx\r\nEND\r\n");
  redis.clock().Advance(seconds(9000));
  EXPECT_EQ(Get("a"), "VALUE a 0 1\r\nx\r\nEND\r\n");
  EXPECT_EQ(Run("gat -1 a\r\nget a\r\n"), "VALUE a 0 1\r\nx\r\nEND\r\nEND\r\n");
}

TEST_F(Memcached, IncrementsWrapAndDecrementsStopAtZero) {
  memcached.Set("n", "18446744073709551615");
  EXPECT_EQ(Run("incr n 2\r\n"), "1\r\n");
  EXPECT_EQ(Run("decr n 5\r\n"), "0\r\n");
  EXPECT_EQ(Get("n"), "VALUE n 0 20\r\n0                   \r\nEND\r\n");
  EXPECT_EQ(Run("incr m 1\r\ndecr m 1\r\n"), "NOT_FOUND\r\nNOT_FOUND\r\n");
}

TEST_F(Memcached, AShorterNumberKeepsTheLengthAndALongerOneTheFlags) {
  memcached.Set("n", "10", "7");
  EXPECT_EQ(Run("decr n 1\r\nget n\r\n"), "9\r\nVALUE n 7 2\r\n9 \r\nEND\r\n");
  EXPECT_EQ(Run("incr n 991\r\nget n\r\n"), "1000\r\nVALUE n 7 4\r\n1000\r\nEND\r\n");
}

TEST_F(Memcached, RefusesToCountWithWhatIsNoNumber) {
  for (const char* value : {"", "x", "-1", "12abc", "99999999999999999999"}) {
    memcached.Set("n", value);
    EXPECT_EQ(Run("incr n 1\r\n"), kNotNumeric) << value;
    EXPECT_EQ(Run("ma n\r\n"), kNotNumeric) << value;
  }
}

TEST_F(Memcached, NoreplyIsSilent) {
  EXPECT_EQ(Run("set a 0 0 1 noreply\r\n5\r\nadd a 0 0 1 noreply\r\n6\r\nincr a 1 noreply\r\n"
                "touch a 0 noreply\r\ndelete b noreply\r\nflush_all 100 noreply\r\n"
                "cas a 0 0 1 1 noreply\r\nx\r\nverbosity 1 noreply\r\n"),
            "");
  EXPECT_EQ(Get("a"), "VALUE a 0 1\r\n6\r\nEND\r\n");
}

TEST_F(Memcached, AValueOverTheLimitDropsTheOldOne) {
  memcached.Set("a", "x");
  memcached.Set("b", "x");
  const std::string large(2 << 20, 'x');
  EXPECT_EQ(memcached.Set("a", large), "SERVER_ERROR object too large for cache\r\n");
  EXPECT_EQ(Run(fmt::format("add b 0 0 {}\r\n{}\r\n", large.size(), large)),
            "SERVER_ERROR object too large for cache\r\n");
  EXPECT_EQ(Run("get a b\r\n"), "VALUE b 0 1\r\nx\r\nEND\r\n");
}

TEST_F(Memcached, AppendStopsAtTheLimit) {
  const std::string nearly((1 << 20) - 61, 'x');
  memcached.Set("a", nearly);
  EXPECT_EQ(Run("append a 0 0 1\r\ny\r\nappend a 0 0 1\r\ny\r\n"), "STORED\r\nNOT_STORED\r\n");
}

TEST_F(Memcached, FlushAllEmptiesAtOnceOrIsPlanned) {
  memcached.Set("a", "x");
  EXPECT_EQ(Run("flush_all 10\r\n"), "OK\r\n");
  EXPECT_EQ(memcached.fakes().planned_flush, redis.clock().NowMillis() + 10'000);
  EXPECT_NE(Get("a"), kEnd);
  EXPECT_EQ(Run("flush_all\r\n"), "OK\r\n");
  EXPECT_EQ(memcached.fakes().planned_flush, std::nullopt);
  EXPECT_EQ(Get("a"), kEnd);
  memcached.settings().flush_all_enabled = false;
  EXPECT_EQ(Run("flush_all\r\n"), "CLIENT_ERROR flush_all not allowed\r\n");
}

TEST_F(Memcached, AnswersAdministrators) {
  EXPECT_EQ(Run("version\r\nverbosity 2\r\n"), "VERSION 1.6.18\r\nOK\r\n");
  EXPECT_EQ(memcached.fakes().verbosity, 2u);
  EXPECT_EQ(Run("cache_memlimit 7\r\ncache_memlimit 64\r\n"),
            "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\nOK\r\n");
  EXPECT_EQ(memcached.fakes().memory_limit, 64u << 20);
  EXPECT_EQ(Run("shutdown\r\n"), "ERROR: shutdown not enabled\r\n");
  memcached.settings().shutdown_enabled = true;
  EXPECT_EQ(Run("shutdown now\r\n"), "CLIENT_ERROR invalid shutdown mode\r\n");
  EXPECT_EQ(Run("shutdown graceful\r\n"), "");
  EXPECT_EQ(memcached.fakes().shutdown, "graceful");
  EXPECT_TRUE(memcached.close_after_reply());
}

TEST_F(Memcached, TellsTheNodesOfItsCluster) {
  EXPECT_EQ(Run("config get cluster\r\nget AmazonElastiCache:cluster\r\n"), "ERROR\r\nEND\r\n");
  memcached.fakes().cluster = MemcachedCluster{12, "a.example|10.0.0.1|11211 b.example||11211"};
  const std::string payload = "12\na.example|10.0.0.1|11211 b.example||11211\n";
  EXPECT_EQ(Run("config get cluster\r\n"),
            fmt::format("CONFIG cluster 0 {}\r\n{}\r\nEND\r\n", payload.size(), payload));
  EXPECT_EQ(Run("get AmazonElastiCache:cluster\r\n"),
            fmt::format("VALUE AmazonElastiCache:cluster 0 {}\r\n{}\r\nEND\r\n", payload.size(),
                        payload));
}

TEST_F(Memcached, CountsWhatItDoes) {
  Run("set a 0 0 1\r\n5\r\nget a b\r\nincr a 1\r\ndecr b 1\r\ntouch a 0\r\ndelete a\r\n");
  MemcachedTotals totals;
  totals.Add(memcached.counters());
  EXPECT_EQ(totals.cmd_get, 2u);
  EXPECT_EQ(totals.get_hits, 1u);
  EXPECT_EQ(totals.get_misses, 1u);
  EXPECT_EQ(totals.cmd_set, 1u);
  EXPECT_EQ(totals.incr_hits, 1u);
  EXPECT_EQ(totals.decr_misses, 1u);
  EXPECT_EQ(totals.touch_hits, 1u);
  EXPECT_EQ(totals.delete_hits, 1u);
  memcached.fakes().info.totals = totals;
  const std::string stats = Run("stats\r\n");
  EXPECT_NE(stats.find("STAT get_hits 1\r\n"), std::string::npos);
  EXPECT_TRUE(stats.ends_with("END\r\n"));
  EXPECT_EQ(totals.Since(totals).cmd_get, 0u);
}

TEST_F(Memcached, KnowsItsKindsOfStatistics) {
  memcached.fakes().connections = {
      {7, "tcp:1.2.3.4:5", "tcp:1.2.3.4:11211", "conn_read", redis.clock().NowMillis()}};
  EXPECT_EQ(Run("stats conns\r\n"),
            "STAT 7:addr tcp:1.2.3.4:5\r\nSTAT 7:listen_addr tcp:1.2.3.4:11211\r\n"
            "STAT 7:state conn_read\r\nSTAT 7:secs_since_last_cmd 0\r\nEND\r\n");
  EXPECT_EQ(Run("stats reset\r\nstats nothing\r\n"), "RESET\r\nERROR\r\n");
  EXPECT_EQ(memcached.fakes().resets, 1);
  EXPECT_EQ(Run("stats items\r\n"), kEnd);
  memcached.Set("a", "x");
  EXPECT_NE(Run("stats items\r\n").find("STAT items:1:number 1\r\n"), std::string::npos);
  EXPECT_NE(Run("stats slabs\r\n").find("STAT active_slabs 1\r\n"), std::string::npos);
  EXPECT_NE(Run("stats settings\r\n").find("STAT item_size_max 1048576\r\n"), std::string::npos);
  EXPECT_EQ(Run("stats sizes\r\n"), "STAT sizes_status disabled\r\nEND\r\n");
}

TEST_F(Memcached, AStringOfARedisClientIsAValueWithFlagsZero) {
  redis.Run("SET a hello");
  EXPECT_EQ(Get("a"), "VALUE a 0 5\r\nhello\r\nEND\r\n");
  memcached.Set("b", "world", "7");
  EXPECT_EQ(redis.Run("GET b"), "$5 world ");
}

TEST_F(Memcached, CasWorksOnAStringOfARedisClient) {
  redis.Run("SET a one");
  const std::string cas = memcached.CasOf("a");
  EXPECT_EQ(memcached.CasOf("a"), cas);
  redis.Run("SET a two");
  EXPECT_EQ(Run("cas a 0 0 1 " + cas + "\r\nx\r\n"), "EXISTS\r\n");
  EXPECT_EQ(Run("cas a 0 0 1 " + memcached.CasOf("a") + "\r\nx\r\n"), "STORED\r\n");
}

TEST_F(Memcached, ARedisClientsSetDropsTheFlagsAndItsAppendKeepsThem) {
  memcached.Set("a", "1", "7");
  const std::string cas = memcached.CasOf("a");
  redis.Run("APPEND a 2");
  EXPECT_EQ(Get("a"), "VALUE a 7 2\r\n12\r\nEND\r\n");
  EXPECT_NE(memcached.CasOf("a"), cas);
  redis.Run("SET a 3");
  EXPECT_EQ(Get("a"), "VALUE a 0 1\r\n3\r\nEND\r\n");
}

TEST_F(Memcached, FlagsAndCasGoWithTheValueWhereARedisClientTakesIt) {
  memcached.Set("a", "1", "7");
  const std::string cas = memcached.CasOf("a");
  const std::string unchanged = fmt::format("VALUE {{}} 7 1 {}\r\n1\r\nEND\r\n", cas);
  redis.Run("GETEX a EX 100");
  EXPECT_EQ(Run("gets a\r\n"), fmt::format(fmt::runtime(unchanged), "a"));
  redis.Run("PERSIST a");
  redis.Run("COPY a b");
  EXPECT_EQ(Run("gets b\r\n"), fmt::format(fmt::runtime(unchanged), "b"));
  redis.Run("RENAME a c");
  EXPECT_EQ(Run("gets c\r\n"), fmt::format(fmt::runtime(unchanged), "c"));
  EXPECT_EQ(Get("a"), kEnd);
  redis.Run("SETRANGE c 0 2");
  EXPECT_EQ(Get("c"), "VALUE c 7 1\r\n2\r\nEND\r\n");
  EXPECT_NE(memcached.CasOf("c"), cas);
}

TEST_F(Memcached, LargeValuesAreGivenByReference) {
  const std::string large(100'000, 'l');
  memcached.Set("large", large, "7");
  memcached.Set("small", "s");
  memcached.set_takes_references(true);
  const std::string value = "VALUE large 7 100000\r\n" + large + "\r\n";
  EXPECT_EQ(Run("get large small large\r\n"),
            value + "VALUE small 0 1\r\ns\r\n" + value + "END\r\n");
  EXPECT_EQ(memcached.references(), 2u);
  EXPECT_EQ(Run("mg large v f\r\nmg large v\r\n"),
            "VA 100000 f7\r\n" + large + "\r\nVA 100000\r\n" + large + "\r\n");
  EXPECT_EQ(memcached.references(), 2u);
  // What was given stays as it was.
  EXPECT_EQ(Run("gat 100 large\r\nappend large 0 0 1\r\n!\r\nset large 0 0 1\r\nx\r\n"),
            value + "END\r\nSTORED\r\nSTORED\r\n");
  EXPECT_EQ(memcached.references(), 1u);
}

TEST_F(Memcached, CountingInANumberOfARedisClientLeavesItReadableForRedis) {
  redis.Run("SET n 10");
  EXPECT_EQ(Run("decr n 1\r\n"), "9\r\n");
  EXPECT_EQ(redis.Run("INCR n"), ":10 ");
  redis.Run("PEXPIRE n 5000");
  EXPECT_EQ(Run("incr n 1\r\nmg n t v\r\n"), "11\r\nVA 2 t5\r\n11\r\n");
}

TEST_F(Memcached, RefusesWhatWasNotAdmitted) {
  const auto refuse = [](std::string_view input, Fault fault) {
    wire::MemcachedParser parser;
    wire::MemcachedRequest request;
    wire::OutputBuffer out;
    size_t consumed = 0;
    EXPECT_EQ(parser.Parse(input, &request, &consumed), wire::MemcachedParseStatus::kComplete);
    RefuseMemcached(request, fault, out);
    return std::string(out.view());
  };
  EXPECT_EQ(refuse("set a 0 0 1\r\nx\r\n", Fault::kOutOfMemory),
            "SERVER_ERROR out of memory storing object\r\n");
  EXPECT_EQ(refuse("set a 0 0 1 noreply\r\nx\r\n", Fault::kOutOfMemory), "");
  EXPECT_EQ(refuse("delete a\r\n", Fault::kReadOnlyReplica),
            "SERVER_ERROR this node is a read-only replica\r\n");
  EXPECT_EQ(refuse("get a b\r\n", Fault::kLoading), "");
  EXPECT_EQ(refuse("ms a 1 q\r\nx\r\n", Fault::kReadOnlyReplica),
            "SERVER_ERROR this node is a read-only replica\r\n");
}

}  // namespace
}  // namespace mikura::engine
