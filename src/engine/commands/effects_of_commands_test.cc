// SPDX-License-Identifier: Apache-2.0
// What each write gives to the change log, and what becomes of a memcached client's block.
#include <gtest/gtest.h>

#include "engine/commands/command_test_support.h"

namespace mikura::engine {
namespace {

using std::chrono::milliseconds;

class CommandEffects : public testing::Test {
 protected:
  // The effects of one command line.
  std::string Of(std::string_view line) {
    runner_.Run(line);
    return runner_.effects();
  }
  std::string After(int64_t by) { return std::to_string(runner_.clock().NowMillis() + by); }
  CommandRunner runner_;
};

TEST_F(CommandEffects, ASetIsRepeatedWithItsAbsoluteDeadline) {
  EXPECT_EQ(Of("SET k v"), "SET k v");
  EXPECT_EQ(Of("SET k v EX 10 GET XX"), "SET k v PXAT " + After(10'000));
  EXPECT_EQ(Of("SETEX k 10 v"), "SET k v PXAT " + After(10'000));
  EXPECT_EQ(Of("PSETEX k 10 v"), "SET k v PXAT " + After(10));
  EXPECT_EQ(Of("SET k w KEEPTTL"), "SET k w KEEPTTL");
  EXPECT_EQ(Of("GETSET k x"), "SET k x");
}

TEST_F(CommandEffects, AConditionThatFailsHasNone) {
  runner_.Run("SET k v");
  EXPECT_EQ(Of("SET k w NX"), "");
  EXPECT_EQ(Of("SET absent w XX"), "");
  EXPECT_EQ(Of("SET k w IFEQ other"), "");
  EXPECT_EQ(Of("SETNX k w"), "");
  EXPECT_EQ(Of("MSETNX a 1 k 2"), "");
  EXPECT_EQ(Of("RENAMENX k k"), "");
  EXPECT_EQ(Of("EXPIRE absent 1"), "");
  EXPECT_EQ(Of("PERSIST k"), "");
  EXPECT_EQ(Of("DEL absent"), "");
  EXPECT_EQ(Of("GETDEL absent"), "");
  EXPECT_EQ(Of("GETEX k"), "");
}

TEST_F(CommandEffects, SeveralPairsAreOneEffect) {
  EXPECT_EQ(Of("MSET a 1 b 2 a 3"), "MSET a 1 b 2 a 3");
  EXPECT_EQ(Of("MSETNX c 1 d 2"), "MSET c 1 d 2");
}

TEST_F(CommandEffects, ARemovalNamesWhatWasThere) {
  runner_.Run("MSET a 1 b 2");
  EXPECT_EQ(Of("DEL a absent b"), "DEL a b");
  runner_.Run("SET a 1");
  EXPECT_EQ(Of("GETDEL a"), "DEL a");
}

TEST_F(CommandEffects, ADeadlineInThePastIsARemoval) {
  runner_.Run("SET k v");
  EXPECT_EQ(Of("PEXPIREAT k 1"), "DEL k");
  runner_.Run("SET k v");
  EXPECT_EQ(Of("EXPIRE k -1"), "DEL k");
  runner_.Run("SET k v");
  EXPECT_EQ(Of("SET k w PXAT 1"), "DEL k");
  EXPECT_EQ(Of("SET k w PXAT 1"), "");
  runner_.Run("SET k v");
  EXPECT_EQ(Of("GETEX k EXAT 1"), "DEL k");
}

TEST_F(CommandEffects, OnAReplicaADeadlineInThePastStaysUntilThePrimaryRemovesTheKey) {
  runner_.Run("SET k v");
  runner_.keyspace().set_may_expire(false);
  EXPECT_EQ(Of("PEXPIREAT k 1"), "PEXPIREAT k 1");
  EXPECT_EQ(Of("SET j v PXAT 1"), "SET j v PXAT 1");
  EXPECT_EQ(runner_.Run("EXISTS k j"), ":0 ");
  EXPECT_EQ(runner_.Run("DBSIZE"), ":2 ");
}

TEST_F(CommandEffects, DeadlinesAreAbsolute) {
  runner_.Run("SET k v");
  EXPECT_EQ(Of("EXPIRE k 5"), "PEXPIREAT k " + After(5000));
  EXPECT_EQ(Of("PEXPIRE k 5"), "PEXPIREAT k " + After(5));
  EXPECT_EQ(Of("GETEX k PX 7"), "PEXPIREAT k " + After(7));
  EXPECT_EQ(Of("GETEX k PERSIST"), "PERSIST k");
  EXPECT_EQ(Of("EXPIREAT k 4000000000"), "PEXPIREAT k 4000000000000");
  EXPECT_EQ(Of("PERSIST k"), "PERSIST k");
}

TEST_F(CommandEffects, CountersAreRepeatedAndFractionsAreResults) {
  EXPECT_EQ(Of("INCR n"), "INCR n");
  EXPECT_EQ(Of("DECRBY n 5"), "DECRBY n 5");
  EXPECT_EQ(Of("INCRBYFLOAT n 0.5"), "SET n -3.5 KEEPTTL");
  EXPECT_EQ(Of("APPEND s ab"), "APPEND s ab");
  EXPECT_EQ(Of("APPEND s ''"), "");
  EXPECT_EQ(Of("SETRANGE s 3 x"), "SETRANGE s 3 x");
}

TEST_F(CommandEffects, MovesAreRepeatedAsTheyAre) {
  runner_.Run("SET a v");
  EXPECT_EQ(Of("COPY a b"), "COPY a b DB 0 REPLACE");
  EXPECT_EQ(Of("COPY a b"), "");
  EXPECT_EQ(Of("RENAME a c"), "RENAME a c");
  EXPECT_EQ(Of("RENAME c c"), "");
  EXPECT_EQ(Of("RENAMENX c d"), "RENAME c d");
  EXPECT_EQ(Of("MOVE d 3"), "MOVE d 3");
  EXPECT_EQ(Of("COPY b b DB 3"), "COPY b b DB 3 REPLACE");
}

TEST_F(CommandEffects, TheRecordIsForTheClientsDatabase) {
  runner_.Run("SELECT 2");
  EXPECT_EQ(Of("SET k v"), "SET k v");
  EXPECT_EQ(runner_.effects_database(), 2);
}

class MemcachedBlock : public CommandEffects {
 protected:
  void SetUp() override {
    runner_.Run("SET k 10 PX 5000");
    runner_.SetAttributes("k", {.deadline = runner_.clock().NowMillis() + 5000,
                                .has_memcached = true,
                                .memcached_flags = 42,
                                .cas = 1});
  }
  // Flags and deadline of a key are as SetUp() made them.
  bool IsKept(std::string_view key) {
    const store::Attributes found = runner_.AttributesOf(key);
    return found.has_memcached && found.memcached_flags == 42 &&
           found.deadline == runner_.clock().NowMillis() + 5000;
  }
};

TEST_F(MemcachedBlock, SurvivesChangesInPlaceWithANewCas) {
  for (const std::string_view line : {"APPEND k 1", "INCR k", "SETRANGE k 0 2"}) {
    const uint64_t before = runner_.AttributesOf("k").cas;
    runner_.Run(line);
    EXPECT_TRUE(IsKept("k")) << line;
    EXPECT_NE(runner_.AttributesOf("k").cas, before) << line;
  }
}

TEST_F(MemcachedBlock, GoesWithTheValueToAnotherKey) {
  runner_.Run("COPY k c");
  EXPECT_TRUE(IsKept("c"));
  runner_.Run("RENAME k r");
  EXPECT_TRUE(IsKept("r"));
  runner_.Run("MOVE r 1");
  runner_.Run("SELECT 1");
  EXPECT_TRUE(IsKept("r"));
}

TEST_F(MemcachedBlock, SurvivesANewDeadline) {
  runner_.Run("PEXPIRE k 100");
  EXPECT_TRUE(runner_.AttributesOf("k").has_memcached);
}

TEST_F(MemcachedBlock, EndsWithANewValue) {
  for (const std::string_view line : {"SET k v", "SET k 1 KEEPTTL", "GETSET k v", "MSET k 1"}) {
    SetUp();
    runner_.Run(line);
    EXPECT_FALSE(runner_.AttributesOf("k").has_memcached) << line;
  }
}

}  // namespace
}  // namespace mikura::engine
