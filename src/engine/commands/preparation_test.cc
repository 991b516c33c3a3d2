// SPDX-License-Identifier: Apache-2.0
// What other clients do between the two runs of a command that is prepared.
#include "engine/commands/preparation.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/commands/command_test_support.h"

namespace mikura::engine {
namespace {

constexpr size_t kMany = 5000;

class PreparationTest : public testing::Test {
 protected:
  PreparationTest() {
    Fill("SADD", "{s}a", 0);
    Fill("SADD", "{s}b", kMany / 2);
    runner_.set_computations(&computations_);
  }

  void Fill(const std::string& command, const std::string& key, size_t first) {
    std::vector<std::string> words = {command, key};
    for (size_t i = first; i < first + kMany; ++i) words.push_back(fmt::format("e{}", i));
    runner_.Run(words);
  }
  // The first run of a command that is to be prepared.
  void Begin(std::string_view line) {
    ASSERT_EQ(runner_.Run(line), "(preparing)");
    ASSERT_EQ(computations_.waiting(), 1u);
  }
  std::string RunAgain(std::string_view line) {
    computations_.RunAll();
    return runner_.Run(line);
  }

  ManualComputations computations_;
  CommandRunner runner_;
};

TEST_F(PreparationTest, ChangesNothingBeforeItsSecondRun) {
  Begin("SUNIONSTORE {s}to {s}a {s}b");
  EXPECT_EQ(runner_.effects(), "");
  EXPECT_EQ(runner_.Run("EXISTS {s}to"), ":0 ");
  EXPECT_EQ(RunAgain("SUNIONSTORE {s}to {s}a {s}b"), ":7500 ");
  EXPECT_TRUE(runner_.effects().starts_with("SADD {s}to "));
  EXPECT_EQ(runner_.Run("SCARD {s}to"), ":7500 ");
}

TEST_F(PreparationTest, AWriteToAnInputInBetweenIsInTheResult) {
  Begin("SUNIONSTORE {s}to {s}a {s}b");
  computations_.RunAll();
  EXPECT_EQ(runner_.Run("SADD {s}b new"), ":1 ");
  Begin("SUNIONSTORE {s}to {s}a {s}b");
  EXPECT_EQ(RunAgain("SUNIONSTORE {s}to {s}a {s}b"), ":7501 ");
  EXPECT_EQ(runner_.Run("SISMEMBER {s}to new"), ":1 ");
}

TEST_F(PreparationTest, AWriteToTheDestinationInBetweenComesBefore) {
  Begin("SINTERSTORE {s}to {s}a {s}b");
  EXPECT_EQ(runner_.Run("SADD {s}to other"), ":1 ");
  EXPECT_EQ(RunAgain("SINTERSTORE {s}to {s}a {s}b"), ":2500 ");
  EXPECT_NE(runner_.effects().find("DEL {s}to; SADD {s}to "), std::string::npos);
  EXPECT_EQ(runner_.Run("SISMEMBER {s}to other"), ":0 ");
}

TEST_F(PreparationTest, AnInputThatIsItsOwnDestinationIsCompared) {
  Begin("SDIFFSTORE {s}a {s}a {s}b");
  EXPECT_EQ(runner_.Run("SREM {s}a e0"), ":1 ");
  computations_.RunAll();
  Begin("SDIFFSTORE {s}a {s}a {s}b");
  EXPECT_EQ(RunAgain("SDIFFSTORE {s}a {s}a {s}b"), ":2499 ");
}

TEST_F(PreparationTest, AnInputThatComesIntoBeingIsInTheResult) {
  Begin("SUNIONSTORE {s}to {s}a {s}later");
  EXPECT_EQ(runner_.Run("SADD {s}later new"), ":1 ");
  computations_.RunAll();
  Begin("SUNIONSTORE {s}to {s}a {s}later");
  EXPECT_EQ(RunAgain("SUNIONSTORE {s}to {s}a {s}later"), ":5001 ");
}

TEST_F(PreparationTest, AnInputThatChangesItsTypeIsAnError) {
  Begin("SUNIONSTORE {s}to {s}a {s}b");
  EXPECT_EQ(runner_.Run("SET {s}b text"), "+OK ");
  EXPECT_TRUE(RunAgain("SUNIONSTORE {s}to {s}a {s}b").starts_with("-WRONGTYPE"));
}

TEST_F(PreparationTest, InputsThatChangeAllTheTimeAreComputedUnderTheLock) {
  for (int i = 0; i < 4; ++i) {
    Begin("SUNIONSTORE {s}to {s}a {s}b");
    computations_.RunAll();
    EXPECT_EQ(runner_.Run(fmt::format("SADD {{s}}b new{}", i)), ":1 ");
  }
  EXPECT_EQ(runner_.Run("SUNIONSTORE {s}to {s}a {s}b"), ":7504 ");
  EXPECT_EQ(computations_.waiting(), 0u);
}

TEST_F(PreparationTest, AnotherRequestDoesNotUseIt) {
  Begin("SUNIONSTORE {s}to {s}a {s}b");
  computations_.RunAll();
  // As when the first one was refused at its second run.
  Begin("SUNIONSTORE {s}other {s}a {s}b");
  EXPECT_EQ(RunAgain("SUNIONSTORE {s}other {s}a {s}b"), ":7500 ");
  EXPECT_EQ(runner_.Run("EXISTS {s}to"), ":0 ");
}

TEST_F(PreparationTest, AnotherDatabaseDoesNotUseIt) {
  Begin("SUNIONSTORE {s}to {s}a {s}b");
  computations_.RunAll();
  runner_.client().database = 1;
  EXPECT_EQ(runner_.Run("SUNIONSTORE {s}to {s}a {s}b"), ":0 ");
}

TEST_F(PreparationTest, FewMembersAreComputedAtOnce) {
  runner_.Run("SADD {s}few 1 2 3");
  EXPECT_EQ(runner_.Run("SUNIONSTORE {s}to {s}few"), ":3 ");
}

TEST_F(PreparationTest, ALinearSearchKeepsItsPlaceOnlyInTheSameList) {
  for (size_t first = 0; first < 20000; first += kMany) Fill("RPUSH", "list", first);
  Begin("LINSERT list BEFORE e19999 x");
  EXPECT_EQ(runner_.Run("LPOP list"), "$2 e0 ");
  computations_.RunAll();
  Begin("LINSERT list BEFORE e19999 x");
  EXPECT_EQ(RunAgain("LINSERT list BEFORE e19999 x"), ":20000 ");
  EXPECT_EQ(runner_.Run("LINDEX list -2"), "$1 x ");
  EXPECT_EQ(runner_.Run("LINSERT list BEFORE e5 y"), ":20001 ");  // near the head: at once
}

TEST_F(PreparationTest, ARemovalKeepsTheDeadline) {
  for (size_t first = 0; first < 20000; first += kMany) Fill("RPUSH", "list", first);
  EXPECT_EQ(runner_.Run("PEXPIRE list 5000"), ":1 ");
  Begin("LREM list 0 e19999");
  EXPECT_EQ(RunAgain("LREM list 0 e19999"), ":1 ");
  EXPECT_EQ(runner_.effects(), "LREM list 0 e19999");
  EXPECT_EQ(runner_.Run("PTTL list"), ":5000 ");
  EXPECT_EQ(runner_.Run("LINDEX list -1"), "$6 e19998 ");
}

TEST_F(PreparationTest, ManyWordsCountAndLogWhatTheyDoAtTheirSecondRun) {
  std::vector<std::string> words = {"SREM", "{s}a"};
  for (size_t i = 0; i < kMany; ++i) words.push_back(fmt::format("e{}", i));
  ASSERT_EQ(runner_.Run(words), "(preparing)");
  EXPECT_EQ(runner_.Run("SREM {s}a e7"), ":1 ");
  computations_.RunAll();
  ASSERT_EQ(runner_.Run(words), "(preparing)");
  computations_.RunAll();
  EXPECT_EQ(runner_.Run(words), ":4999 ");
  EXPECT_TRUE(runner_.effects().starts_with("SREM {s}a e0 "));
  EXPECT_EQ(runner_.Run("EXISTS {s}a"), ":0 ");
}

TEST_F(PreparationTest, ManyFieldsOfAHashKeepItsDeadline) {
  std::vector<std::string> words = {"HSET", "hash"};
  for (size_t i = 0; i < 2 * kMany; ++i) words.push_back(fmt::format("w{}", i));
  EXPECT_EQ(runner_.Run("HSET hash w0 before"), ":1 ");
  EXPECT_EQ(runner_.Run("PEXPIRE hash 5000"), ":1 ");
  ASSERT_EQ(runner_.Run(words), "(preparing)");
  computations_.RunAll();
  EXPECT_EQ(runner_.Run(words), ":4999 ");
  EXPECT_EQ(runner_.Run("HGET hash w0"), "$2 w1 ");
  EXPECT_EQ(runner_.Run("PTTL hash"), ":5000 ");
}

TEST_F(PreparationTest, WhatIsPoppedIsWhatGoes) {
  Begin("SPOP {s}a 4200");
  computations_.RunAll();
  const std::string reply = runner_.Run("SPOP {s}a 4200");
  EXPECT_TRUE(reply.starts_with("*4200 "));
  EXPECT_TRUE(runner_.effects().starts_with("SREM {s}a "));
  EXPECT_EQ(runner_.Run("SCARD {s}a"), ":800 ");
  const std::string first = reply.substr(reply.find(" e") + 1);
  EXPECT_EQ(runner_.Run("SISMEMBER {s}a " + first.substr(0, first.find(' '))), ":0 ");
}

TEST_F(PreparationTest, APopOfAllTakesTheKey) {
  Begin("SPOP {s}a 9999");
  EXPECT_TRUE(RunAgain("SPOP {s}a 9999").starts_with("*5000 "));
  EXPECT_EQ(runner_.effects(), "DEL {s}a");
  EXPECT_EQ(runner_.Run("EXISTS {s}a"), ":0 ");
}

TEST_F(PreparationTest, AKeyThatExpiresInBetweenIsAbsent) {
  EXPECT_EQ(runner_.Run("PEXPIRE {s}b 5000"), ":1 ");
  Begin("SUNIONSTORE {s}to {s}a {s}b");
  runner_.clock().Advance(std::chrono::milliseconds(6000));
  computations_.RunAll();
  Begin("SUNIONSTORE {s}to {s}a {s}b");
  EXPECT_EQ(RunAgain("SUNIONSTORE {s}to {s}a {s}b"), ":5000 ");
}

}  // namespace
}  // namespace mikura::engine
