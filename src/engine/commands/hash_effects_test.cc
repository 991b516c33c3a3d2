// SPDX-License-Identifier: Apache-2.0
// What each write of a hash gives to the change log.
#include <gtest/gtest.h>

#include "engine/commands/command_test_support.h"

namespace mikura::engine {
namespace {

using std::chrono::milliseconds;

class HashEffects : public testing::Test {
 protected:
  std::string Of(std::string_view line) {
    runner_.Run(line);
    return runner_.effects();
  }
  std::string After(int64_t by) { return std::to_string(runner_.clock().NowMillis() + by); }
  CommandRunner runner_;
};

TEST_F(HashEffects, SettingIsOneEffectAndNothingIsNone) {
  EXPECT_EQ(Of("HSET h a 1 b 2"), "HSET h a 1 b 2");
  EXPECT_EQ(Of("hmset h a 1"), "HSET h a 1");
  EXPECT_EQ(Of("HSETNX h a 2"), "");
  EXPECT_EQ(Of("HSETNX h c 2"), "HSET h c 2");
  EXPECT_EQ(Of("HDEL h absent"), "");
  EXPECT_EQ(Of("HDEL h a absent b"), "HDEL h a b");
  EXPECT_EQ(Of("HGETDEL h FIELDS 2 c absent"), "HDEL h c");
}

TEST_F(HashEffects, ArithmeticIsRepeatedAsItsResultWithTheDeadlineThatItKeeps) {
  EXPECT_EQ(Of("HINCRBY h n 5"), "HSET h n 5");
  EXPECT_EQ(Of("HINCRBYFLOAT h n 0.5"), "HSET h n 5.5");
  runner_.Run("HPEXPIRE h 1000 FIELDS 1 n");
  EXPECT_EQ(Of("HINCRBYFLOAT h n 0.5"),
            "MULTI; HSET h n 6; HPEXPIREAT h " + After(1000) + " FIELDS 1 n; EXEC");
}

TEST_F(HashEffects, DeadlinesAreAbsoluteAndOfTheFieldsThatGotThem) {
  runner_.Run("HSET h a 1 b 2 c 3");
  EXPECT_EQ(Of("HEXPIRE h 10 FIELDS 3 a absent b"),
            "HPEXPIREAT h " + After(10'000) + " FIELDS 2 a b");
  EXPECT_EQ(Of("HPEXPIRE h 10 NX FIELDS 2 a c"), "HPEXPIREAT h " + After(10) + " FIELDS 1 c");
  EXPECT_EQ(Of("HPEXPIRE h 10 NX FIELDS 2 a c"), "");
  EXPECT_EQ(Of("HPERSIST h FIELDS 2 a absent"), "HPERSIST h FIELDS 1 a");
  EXPECT_EQ(Of("HPERSIST h FIELDS 1 a"), "");
  EXPECT_EQ(Of("HGETEX h FIELDS 1 a"), "");
  EXPECT_EQ(Of("HGETEX h EX 10 FIELDS 2 a absent"),
            "HPEXPIREAT h " + After(10'000) + " FIELDS 1 a");
  EXPECT_EQ(Of("HGETEX h PERSIST FIELDS 2 a c"), "HPERSIST h FIELDS 2 a c");
  EXPECT_EQ(Of("HSETEX h PX 10 FIELDS 2 a 1 d 2"),
            "MULTI; HSET h a 1 d 2; HPEXPIREAT h " + After(10) + " FIELDS 2 a d; EXEC");
  EXPECT_EQ(Of("HSETEX h KEEPTTL FIELDS 2 a 1 b 2"), "MULTI; HSET h a 1 b 2; HPEXPIREAT h " +
                                                         After(10) + " FIELDS 1 a; HPEXPIREAT h " +
                                                         After(10'000) + " FIELDS 1 b; EXEC");
}

TEST_F(HashEffects, ThePastIsARemoval) {
  runner_.Run("HSET h a 1 b 2 c 3 d 4");
  EXPECT_EQ(Of("HPEXPIREAT h 1 FIELDS 2 a absent"), "HDEL h a");
  EXPECT_EQ(Of("HGETEX h PX 0 FIELDS 2 b absent"), "HDEL h b");
  EXPECT_EQ(Of("HSETEX h PXAT 1 FIELDS 2 c 1 absent 2"), "HDEL h c");
  EXPECT_EQ(Of("HSETEX h PXAT 1 FIELDS 1 absent 2"), "");
  EXPECT_EQ(runner_.Run("HKEYS h"), "*1 $1 d ");
}

TEST_F(HashEffects, ADueFieldThatAWriteMeetsIsRemovedFirst) {
  runner_.Run("HSET h a 7 b 8 c 9");
  runner_.Run("HPEXPIRE h 10 FIELDS 3 a b c");
  runner_.clock().Advance(milliseconds(10));
  EXPECT_EQ(runner_.Run("HLEN h"), ":0 ");
  EXPECT_EQ(runner_.Run("HGETALL h"), "*0 ");
  EXPECT_EQ(Of("HINCRBY h a 1"), "MULTI; HDEL h a; HSET h a 1; EXEC");
  EXPECT_EQ(Of("HDEL h b"), "HDEL h b");
  EXPECT_EQ(Of("HSETEX h FXX FIELDS 1 c 1"), "HDEL h c");
  EXPECT_EQ(runner_.Run("HGETALL h"), "*2 $1 a $1 1 ");
  EXPECT_EQ(runner_.Run("HTTL h FIELDS 1 a"), "*1 :-1 ");
}

TEST_F(HashEffects, OnAReplicaADueFieldIsHiddenUntilThePrimaryRemovesIt) {
  runner_.keyspace().set_may_expire(false);
  runner_.Run("HSET h a 1 b 2");
  EXPECT_EQ(Of("HPEXPIREAT h 1 FIELDS 1 a"), "HPEXPIREAT h 1 FIELDS 1 a");
  EXPECT_EQ(runner_.Run("HGETALL h"), "*2 $1 b $1 2 ");
  EXPECT_EQ(runner_.Run("HGET h a"), "$-1 ");
  runner_.keyspace().set_may_expire(true);
  EXPECT_EQ(Of("HDEL h a"), "HDEL h a");
}

}  // namespace
}  // namespace mikura::engine
