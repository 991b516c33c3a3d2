// SPDX-License-Identifier: Apache-2.0
// What the commands of sorted sets give to the change log: results, never conditions or choices.
#include <gtest/gtest.h>

#include "engine/commands/command_test_support.h"

namespace mikura::engine {
namespace {

class SortedSetEffects : public testing::Test {
 protected:
  std::string Of(std::string_view line) {
    runner_.Run(line);
    return runner_.effects();
  }
  CommandRunner runner_;
};

TEST_F(SortedSetEffects, AnAdditionNamesWhatChanged) {
  EXPECT_EQ(Of("ZADD z 1 a 2 b"), "ZADD z 1 a 2 b");
  EXPECT_EQ(Of("ZADD z 1 a 3 b 4 c"), "ZADD z 3 b 4 c");
  EXPECT_EQ(Of("ZADD z GT CH 9 a 2 b"), "ZADD z 9 a");
  EXPECT_EQ(Of("ZADD z NX 1 a 5 d"), "ZADD z 5 d");
  EXPECT_EQ(Of("ZADD z NX 1 a"), "");
  EXPECT_EQ(Of("ZADD z XX 1 absent"), "");
  EXPECT_EQ(Of("ZADD absent XX 1 a"), "");
}

TEST_F(SortedSetEffects, AnIncrementIsItsResult) {
  EXPECT_EQ(Of("ZINCRBY z 0.1 a"), "ZADD z 0.10000000000000001 a");
  EXPECT_EQ(Of("ZADD z INCR 2 a"), "ZADD z 2.1000000000000001 a");
  EXPECT_EQ(Of("ZINCRBY z inf a"), "ZADD z inf a");
  EXPECT_EQ(Of("ZINCRBY z -inf a"), "");
  EXPECT_EQ(Of("ZADD z LT INCR 1 a"), "");
}

TEST_F(SortedSetEffects, ARemovalNamesWhatWasThere) {
  runner_.Run("ZADD z 1 a 2 b 3 c 4 d");
  EXPECT_EQ(Of("ZREM z a absent"), "ZREM z a");
  EXPECT_EQ(Of("ZREM z absent"), "");
  EXPECT_EQ(Of("ZREMRANGEBYRANK z 0 0"), "ZREMRANGEBYRANK z 0 0");
  EXPECT_EQ(Of("ZREMRANGEBYSCORE z 7 9"), "");
  EXPECT_EQ(Of("ZREMRANGEBYSCORE z 3 (4"), "ZREMRANGEBYSCORE z 3 (4");
  EXPECT_EQ(Of("ZREMRANGEBYLEX z [d [d"), "ZREMRANGEBYLEX z [d [d");
  EXPECT_EQ(runner_.Run("EXISTS z"), ":0 ");
}

TEST_F(SortedSetEffects, APopNamesWhatItTook) {
  runner_.Run("ZADD z 1 a 2 b 3 c 4 d");
  EXPECT_EQ(Of("ZPOPMIN z"), "ZREM z a");
  EXPECT_EQ(Of("ZMPOP 2 absent z MAX COUNT 2"), "ZREM z d c");
  EXPECT_EQ(Of("ZPOPMAX z 0"), "");
  EXPECT_EQ(Of("ZPOPMAX z 5"), "ZREM z b");
  EXPECT_EQ(Of("ZPOPMAX z"), "");
}

TEST_F(SortedSetEffects, AStoreIsRepeatedUnlessItIsARemoval) {
  runner_.Run("ZADD z 1 a 2 b");
  EXPECT_EQ(Of("ZRANGESTORE d z 0 0"), "ZRANGESTORE d z 0 0");
  EXPECT_EQ(Of("ZRANGESTORE d z 5 6"), "DEL d");
  EXPECT_EQ(Of("ZRANGESTORE d z 5 6"), "");
  EXPECT_EQ(Of("ZUNIONSTORE d 2 z absent"), "ZUNIONSTORE d 2 z absent");
  EXPECT_EQ(Of("ZINTERSTORE d 2 z absent"), "DEL d");
  EXPECT_EQ(Of("ZDIFFSTORE d 2 z z"), "");
}

}  // namespace
}  // namespace mikura::engine
