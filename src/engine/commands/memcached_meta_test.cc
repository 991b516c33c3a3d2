// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/commands/memcached_test_support.h"

namespace mikura::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class MemcachedMeta : public testing::Test {
 public:
  std::string Run(std::string_view input) { return memcached.Run(input); }

  CommandRunner redis;
  MemcachedRunner memcached{redis};
};

TEST_F(MemcachedMeta, GetReturnsTheFlagsInTheOrderTheyWereAskedFor) {
  memcached.Set("a", "abc", "5", "100");
  const std::string cas = memcached.CasOf("a");
  EXPECT_EQ(Run("mg a s v f t k Oop q c\r\n"), "VA 3 s3 f5 t100 ka Oop c" + cas + "\r\nabc\r\n");
  EXPECT_EQ(Run("mg a\r\nmg b\r\nmg b v q\r\nmg b Oxyz k\r\n"), "HD\r\nEN\r\nEN Oxyz kb\r\n");
}

TEST_F(MemcachedMeta, TimeLeftIsRoundedUpAndMinusOneForEver) {
  memcached.Set("a", "x", "0", "10");
  redis.clock().Advance(milliseconds(1));
  EXPECT_EQ(Run("mg a t\r\n"), "HD t10\r\n");
  redis.clock().Advance(milliseconds(999));
  EXPECT_EQ(Run("mg a t\r\nmg a t T30 \r\nmg a T0 t\r\n"), "HD t9\r\nHD t9\r\nHD t-1\r\n");
}

TEST_F(MemcachedMeta, KnowsWhetherAnEntryWasReadBefore) {
  memcached.Set("a", "x");
  EXPECT_EQ(Run("mg a u h\r\nmg a h\r\nmg a h\r\n"), "HD h0\r\nHD h0\r\nHD h1\r\n");
  memcached.Set("a", "x");
  EXPECT_EQ(Run("get b\r\nmg a u h\r\nget a\r\nmg a h\r\n"),
            "END\r\nHD h0\r\nVALUE a 0 1\r\nx\r\nEND\r\nHD h1\r\n");
}

TEST_F(MemcachedMeta, BinaryKeysAreSentInBase64) {
  EXPECT_EQ(Run("ms YWI= 2 b k\r\nxx\r\n"), "HD kYWI= b\r\n");
  EXPECT_EQ(Run("mg ab k v\r\nget ab\r\n"), "VA 2 kYWI= b\r\nxx\r\nVALUE ab 0 2\r\nxx\r\nEND\r\n");
  EXPECT_EQ(Run("mg eg== b k\r\nmd YWI= b k\r\n"), "EN keg== b\r\nHD kYWI= b\r\n");
}

TEST_F(MemcachedMeta, SetHasTheModesOfTheClassicCommands) {
  EXPECT_EQ(Run("ms a 1 MR\r\nx\r\nms a 1 MA\r\nx\r\nms a 1 MP k\r\nx\r\n"),
            "NS\r\nNS\r\nNS ka\r\n");
  EXPECT_EQ(Run("ms a 1 ME F3\r\nb\r\nms a 1 ME\r\nx\r\nms a 1 MA\r\nc\r\nms a 1 MP q\r\na\r\n"),
            "HD\r\nNS\r\nHD\r\n");
  EXPECT_EQ(Run("mg a f v\r\n"), "VA 3 f3\r\nabc\r\n");
}

TEST_F(MemcachedMeta, SetComparesTheCas) {
  EXPECT_EQ(Run("ms a 1 C1 k Oq c\r\nx\r\n"), "NF ka Oq c0\r\n");
  const std::string stored = Run("ms a 1 c\r\nx\r\n");
  const std::string cas = stored.substr(4, stored.size() - 6);
  EXPECT_EQ(cas, memcached.CasOf("a"));
  EXPECT_EQ(Run("ms a 1 C1\r\ny\r\nms a 1 MA C1\r\ny\r\nms a 1 MR C1\r\ny\r\n"),
            "EX\r\nEX\r\nEX\r\n");
  EXPECT_EQ(Run("ms a 1 C" + cas + "\r\nz\r\n"), "HD\r\n");
}

TEST_F(MemcachedMeta, SetTakesAnExplicitCas) {
  EXPECT_EQ(Run("ms a 1 E77 c\r\nx\r\n"), "HD c77\r\n");
  EXPECT_EQ(Run("ms a 1 C77 E18446744073709551615 c\r\nx\r\n"), "HD c18446744073709551615\r\n");
  EXPECT_EQ(Run("ms a 1\r\nx\r\n"), "HD\r\n");
  const std::string first = memcached.CasOf("a");
  Run("ms a 1\r\nx\r\n");
  EXPECT_NE(memcached.CasOf("a"), first);
}

TEST_F(MemcachedMeta, AppendCreatesOnAMissWhenAsked) {
  EXPECT_EQ(Run("ms a 1 MA N30\r\nx\r\nms a 1 MA N30\r\ny\r\nmg a v t\r\n"),
            "HD\r\nHD\r\nVA 2 t30\r\nxy\r\n");
}

TEST_F(MemcachedMeta, AMissCanLeaveAStubThatOneClientWins) {
  EXPECT_EQ(Run("mg a N30 v t\r\n"), "VA 0 t30 W\r\n\r\n");
  EXPECT_EQ(Run("mg a N30 v t\r\n"), "VA 0 t30 Z\r\n\r\n");
  EXPECT_EQ(Run("ms a 1 T0\r\ny\r\nmg a N30 v\r\n"), "HD\r\nVA 1\r\ny\r\n");
  EXPECT_EQ(Run("mg b N-1 v\r\nmg b\r\n"), "VA 0 W\r\n\r\nEN\r\n");
}

TEST_F(MemcachedMeta, AnEntryAboutToExpireIsWonOnce) {
  memcached.Set("a", "x", "0", "20");
  EXPECT_EQ(Run("mg a R10\r\nmg a R30 t\r\nmg a R30\r\nmg a\r\n"),
            "HD\r\nHD t20 W\r\nHD Z\r\nHD Z\r\n");
  memcached.Set("b", "x");
  EXPECT_EQ(Run("mg b R30\r\n"), "HD\r\n");
}

TEST_F(MemcachedMeta, AnInvalidatedEntryIsServedStaleUntilItIsSetAnew) {
  memcached.Set("a", "x");
  const std::string cas = memcached.CasOf("a");
  EXPECT_EQ(Run("md a I T30 k\r\n"), "HD ka\r\n");
  EXPECT_NE(memcached.CasOf("a"), cas);
  EXPECT_EQ(Run("mg a v t\r\nmg a v\r\n"), "VA 1 t30 X W\r\nx\r\nVA 1 Z X\r\nx\r\n");
  EXPECT_EQ(Run("ms a 1\r\ny\r\nmg a v\r\n"), "HD\r\nVA 1\r\ny\r\n");
}

TEST_F(MemcachedMeta, AnOlderCasStoresAStaleValueWhenAsked) {
  memcached.Set("a", "x");
  EXPECT_EQ(Run("ms a 1 I C1\r\ny\r\nmg a v\r\n"), "HD\r\nVA 1 X W\r\ny\r\n");
  EXPECT_EQ(Run("ms a 1 I C18446744073709551615\r\nz\r\n"), "EX\r\n");
}

TEST_F(MemcachedMeta, AStaleValueKeepsTheDeadlineAndTheWinOfTheOneBefore) {
  memcached.Set("a", "x");
  Run("md a I T30\r\nmg a\r\n");
  EXPECT_EQ(Run("ms a 1 I T90 C1\r\ny\r\nmg a v t\r\n"), "HD\r\nVA 1 t30 Z X\r\ny\r\n");
}

TEST_F(MemcachedMeta, DeleteComparesAndEmpties) {
  memcached.Set("a", "x", "5");
  EXPECT_EQ(Run("md a C1 k O1\r\nmd a C1 q\r\n"), "EX ka O1\r\nEX\r\n");
  EXPECT_EQ(Run("md a x\r\nmg a v f\r\n"), "HD\r\nVA 0 f0\r\n\r\n");
  EXPECT_EQ(Run("md a q\r\nmd a q k\r\n"), "NF ka\r\n");
}

TEST_F(MemcachedMeta, ArithmeticAnswersTheNumber) {
  memcached.Set("n", "10");
  EXPECT_EQ(Run("ma n\r\nma n v\r\nma n D5 v t k Oop\r\nma n MD v\r\nma n M- D2 v\r\n"),
            "HD\r\nVA 2\r\n12\r\nVA 2 t-1 kn Oop\r\n17\r\nVA 2\r\n16\r\nVA 2\r\n14\r\n");
  EXPECT_EQ(Run("ma n C5 k\r\nma n T30 t v\r\nma n q v\r\nma n T-1\r\nma n\r\n"),
            "EX kn\r\nVA 2 t30\r\n15\r\nHD\r\nNF\r\n");
}

TEST_F(MemcachedMeta, ArithmeticCreatesOnAMissWhenAsked) {
  EXPECT_EQ(Run("ma n N30 J13 v t k\r\nma n N30 v t\r\n"),
            "VA 2 t30 kn\r\n13\r\nVA 2 t30\r\n14\r\n");
  EXPECT_EQ(Run("ma m t N30\r\nget m\r\n"), "HD t-1\r\nVALUE m 0 1\r\n0\r\nEND\r\n");
}

TEST_F(MemcachedMeta, DebugShowsWhatIsKept) {
  memcached.Set("a", "abc", "0", "30");
  const std::string reply = Run("me a\r\n");
  EXPECT_TRUE(reply.starts_with("ME a exp=-30 cas=" + memcached.CasOf("a") + " fetch=no size="))
      << reply;
  Run("get a\r\n");
  EXPECT_NE(Run("me a\r\n").find("fetch=yes"), std::string::npos);
  EXPECT_EQ(Run("me b\r\n"), "EN\r\n");
}

TEST_F(MemcachedMeta, AReplicaGivesNoWins) {
  memcached.Set("a", "x");
  Run("md a I\r\n");
  memcached.set_read_only(true);
  EXPECT_EQ(Run("mg a v\r\nmg a v\r\n"), "VA 1 X\r\nx\r\nVA 1 X\r\nx\r\n");
}

TEST_F(MemcachedMeta, ReplicasEndUpWithTheSameEntries) {
  CommandRunner replica;
  memcached.ReplicateTo(replica);
  Run("set a 7 0 1\r\nx\r\nappend a 0 0 1\r\ny\r\nprepend a 0 0 1\r\nw\r\n");
  Run("set n 1 100 2\r\n10\r\ndecr n 1\r\nma n D1 T50\r\ntouch n 60\r\n");
  Run("set gone 0 0 1\r\nx\r\ndelete gone\r\nset past 0 0 1\r\nx\r\ntouch past -1\r\n");
  Run("set s 0 0 1\r\nx\r\nmd s I T30\r\nmg s v\r\nmg stub N30\r\nms t 1 E9\r\nx\r\n");
  Run("set p 0 10 1\r\nx\r\ngat 0 p\r\nset z 0 0 1\r\nx\r\nms z 5 MA\r\n12345\r\n");
  redis.Run("SET r 41");
  replica.Run("SET r 41");
  Run("incr r 1\r\n");
  for (const char* key : {"a", "n", "gone", "past", "s", "stub", "t", "p", "z", "r"}) {
    const auto get = fmt::format("GET {}", key);
    EXPECT_EQ(replica.Run(get), redis.Run(get)) << key;
    if (redis.Run(get) == "$-1 ") continue;
    const store::Attributes ours = redis.AttributesOf(key);
    const store::Attributes theirs = replica.AttributesOf(key);
    EXPECT_EQ(theirs.has_memcached, ours.has_memcached) << key;
    EXPECT_EQ(theirs.memcached_flags, ours.memcached_flags) << key;
    EXPECT_EQ(theirs.cas, ours.cas) << key;
    EXPECT_EQ(theirs.deadline, ours.deadline) << key;
    EXPECT_EQ(theirs.memcached_state & ~1, ours.memcached_state & ~1) << key;
  }
  Run("flush_all\r\n");
}

}  // namespace
}  // namespace mikura::engine
