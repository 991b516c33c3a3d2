// SPDX-License-Identifier: Apache-2.0
// What the commands of lists give to the change log, and lists that are large. The replies are in
// tests/protocol/list_*.test.
#include <gtest/gtest.h>

#include "engine/commands/command_test_support.h"

namespace mikura::engine {
namespace {

class ListEffects : public testing::Test {
 protected:
  std::string Of(std::string_view line) {
    runner_.Run(line);
    return runner_.effects();
  }
  CommandRunner runner_;
};

TEST_F(ListEffects, APushIsRepeatedWhole) {
  EXPECT_EQ(Of("lpush l a b"), "LPUSH l a b");
  EXPECT_EQ(Of("RPUSHX l c"), "RPUSH l c");
  EXPECT_EQ(Of("LPUSHX absent c"), "");
}

TEST_F(ListEffects, APopSaysHowManyWent) {
  runner_.Run("RPUSH l a b c d e f");
  EXPECT_EQ(Of("LPOP l"), "LPOP l");
  EXPECT_EQ(Of("RPOP l 2"), "RPOP l 2");
  EXPECT_EQ(Of("LMPOP 2 absent l LEFT COUNT 2"), "LPOP l 2");
  EXPECT_EQ(Of("LPOP l 0"), "");
  EXPECT_EQ(Of("LMPOP 1 l LEFT"), "LPOP l 1");
  EXPECT_EQ(Of("RPOP l 100"), "");
}

TEST_F(ListEffects, AMoveIsOneEffect) {
  runner_.Run("RPUSH l a b");
  EXPECT_EQ(Of("LMOVE l m right left"), "LMOVE l m RIGHT LEFT");
  EXPECT_EQ(Of("RPOPLPUSH l l"), "LMOVE l l RIGHT LEFT");
  EXPECT_EQ(Of("RPOPLPUSH absent l"), "");
}

TEST_F(ListEffects, WhatChangesNothingHasNone) {
  runner_.Run("RPUSH l a b c");
  EXPECT_EQ(Of("LTRIM l 0 -1"), "");
  EXPECT_EQ(Of("LREM l 0 nosuch"), "");
  EXPECT_EQ(Of("LINSERT l BEFORE nosuch x"), "");
  EXPECT_EQ(Of("LSET l 5 x"), "");
  EXPECT_EQ(Of("LSET l -1 x"), "LSET l 2 x");
  EXPECT_EQ(Of("LINSERT l after a y"), "LINSERT l AFTER a y");
  EXPECT_EQ(Of("LREM l -1 x"), "LREM l -1 x");
  EXPECT_EQ(Of("LTRIM l 0 1"), "LTRIM l 0 1");
}

// Every third element is a "c" and goes, from both ends and in the middle.
TEST(LargeLists, AreSearchedAndThinnedOut) {
  CommandRunner runner;
  std::vector<std::string> words = {"RPUSH", "l"};
  constexpr int kThird = 20'000;
  for (int i = 0; i < kThird; ++i) words.insert(words.end(), {"a", "b", "c"});
  EXPECT_EQ(runner.Run(words), ":60000 ");
  EXPECT_EQ(runner.Run("LPOS l c RANK -20000"), ":2 ");
  EXPECT_EQ(runner.Run("LREM l 2 c"), ":2 ");
  EXPECT_EQ(runner.Run("LREM l -2 c"), ":2 ");
  EXPECT_EQ(runner.Run("LRANGE l 0 4"), "*5 $1 a $1 b $1 a $1 b $1 a ");
  EXPECT_EQ(runner.Run("LREM l 0 c"), ":19996 ");
  EXPECT_EQ(runner.Run("LRANGE l -2 -1"), "*2 $1 a $1 b ");
  EXPECT_EQ(runner.Run("LLEN l"), ":40000 ");
  EXPECT_EQ(runner.Run("LREM l 0 b"), ":20000 ");
  EXPECT_EQ(runner.Run("LTRIM l 19999 -1"), "+OK ");
  EXPECT_EQ(runner.Run("RPOP l 5"), "*1 $1 a ");
  EXPECT_EQ(runner.Run("EXISTS l"), ":0 ");
}

}  // namespace
}  // namespace mikura::engine
