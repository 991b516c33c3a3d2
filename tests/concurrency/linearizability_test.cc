// SPDX-License-Identifier: Apache-2.0
#include "tests/concurrency/linearizability.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "tests/concurrency/key_model.h"

namespace mikura::concurrency {
namespace {

constexpr int64_t kMilli = 1'000'000;

// "A operation of client 1, called at 2 and answered at 5 with ...", in milliseconds.
Operation At(int client, int64_t called, int64_t returned, Words words, std::string reply) {
  return {client, called * kMilli, returned * kMilli, std::move(words), std::move(reply)};
}

bool IsLinearizable(std::vector<Operation> history, LinearizabilityOptions options = {}) {
  return CheckLinearizability(std::move(history), options).is_linearizable();
}

TEST(Linearizability, NothingIsLinearizable) { EXPECT_TRUE(IsLinearizable({})); }

TEST(Linearizability, OneAfterTheOther) {
  EXPECT_TRUE(
      IsLinearizable({At(1, 1, 2, {"SET", "k", "a"}, "+OK"), At(2, 3, 4, {"GET", "k"}, "$a"),
                      At(1, 5, 6, {"DEL", "k"}, ":1"), At(2, 7, 8, {"GET", "k"}, "_")}));
}

TEST(Linearizability, AReadOfWhatWasOverwrittenBeforeItWasCalled) {
  EXPECT_FALSE(
      IsLinearizable({At(1, 1, 2, {"SET", "k", "a"}, "+OK"), At(1, 3, 4, {"SET", "k", "b"}, "+OK"),
                      At(2, 5, 6, {"GET", "k"}, "$a")}));
}

TEST(Linearizability, AReadThatOverlapsAWriteSeesEitherValue) {
  for (const char* seen : {"$a", "$b"}) {
    EXPECT_TRUE(
        IsLinearizable({At(1, 1, 2, {"SET", "k", "a"}, "+OK"),
                        At(1, 3, 6, {"SET", "k", "b"}, "+OK"), At(2, 4, 5, {"GET", "k"}, seen)}))
        << seen;
  }
}

TEST(Linearizability, NoReadGoesBackToWhatAnEarlierReadSawReplaced) {
  EXPECT_FALSE(
      IsLinearizable({At(1, 1, 2, {"SET", "k", "a"}, "+OK"), At(1, 3, 10, {"SET", "k", "b"}, "+OK"),
                      At(2, 4, 5, {"GET", "k"}, "$b"), At(3, 6, 7, {"GET", "k"}, "$a")}));
}

TEST(Linearizability, TwoIncrementsNeverBothSeeTheSameNumber) {
  EXPECT_FALSE(
      IsLinearizable({At(1, 1, 5, {"INCR", "k"}, ":1"), At(2, 2, 4, {"INCR", "k"}, ":1")}));
  EXPECT_TRUE(IsLinearizable({At(1, 1, 5, {"INCR", "k"}, ":2"), At(2, 2, 4, {"INCR", "k"}, ":1")}));
}

TEST(Linearizability, AnElementIsPoppedOnce) {
  EXPECT_FALSE(
      IsLinearizable({At(1, 1, 2, {"RPUSH", "k", "a"}, ":1"), At(1, 3, 6, {"LPOP", "k"}, "$a"),
                      At(2, 4, 7, {"LPOP", "k"}, "$a")}));
  EXPECT_TRUE(IsLinearizable({At(1, 1, 2, {"RPUSH", "k", "a"}, ":1"),
                              At(1, 3, 6, {"LPOP", "k"}, "_"), At(2, 4, 7, {"LPOP", "k"}, "$a")}));
}

TEST(Linearizability, ARandomMemberHasToBeOne) {
  const Operation add = At(1, 1, 2, {"SADD", "k", "a"}, ":1");
  EXPECT_TRUE(IsLinearizable({add, At(2, 3, 4, {"SPOP", "k"}, "$a")}));
  EXPECT_FALSE(IsLinearizable({add, At(2, 3, 4, {"SPOP", "k"}, "$b")}));
}

TEST(Linearizability, WhatWasNeverAnsweredMayHaveHappenedOrNot) {
  const Operation lost{1, 1 * kMilli, Operation::kNeverReturned, {"SET", "k", "a"}, ""};
  EXPECT_TRUE(IsLinearizable({lost, At(2, 2, 3, {"GET", "k"}, "_")}));
  EXPECT_TRUE(IsLinearizable({lost, At(2, 2, 3, {"GET", "k"}, "$a")}));
  EXPECT_TRUE(
      IsLinearizable({lost, At(2, 2, 3, {"GET", "k"}, "_"), At(2, 4, 5, {"GET", "k"}, "$a")}));
  EXPECT_FALSE(
      IsLinearizable({lost, At(2, 2, 3, {"GET", "k"}, "$a"), At(2, 4, 5, {"GET", "k"}, "_")}));
}

TEST(Linearizability, AKeyDisappearsAtItsDeadlineAndNotBefore) {
  const Operation set = At(1, 1, 2, {"SET", "k", "a", "PXAT", "100"}, "+OK");
  EXPECT_TRUE(IsLinearizable({set, At(2, 50, 51, {"GET", "k"}, "$a")}));
  EXPECT_FALSE(IsLinearizable({set, At(2, 50, 51, {"GET", "k"}, "_")}));
  EXPECT_TRUE(IsLinearizable({set, At(2, 105, 106, {"GET", "k"}, "_")}));
  EXPECT_FALSE(IsLinearizable({set, At(2, 105, 106, {"GET", "k"}, "$a")}));
  EXPECT_TRUE(
      IsLinearizable({set, At(2, 105, 106, {"GET", "k"}, "$a")}, {.expiry_slack_millis = 10}));
}

TEST(Linearizability, AKeySeenExpiredDoesNotComeBack) {
  EXPECT_FALSE(
      IsLinearizable({At(1, 1, 2, {"SET", "k", "a", "PXAT", "100"}, "+OK"),
                      At(2, 105, 106, {"GET", "k"}, "_"), At(3, 107, 108, {"GET", "k"}, "$a")},
                     {.expiry_slack_millis = 1000}));
}

TEST(Linearizability, GivesUpRatherThanSearchForEver) {
  std::vector<Operation> history;
  for (int i = 0; i < 10; ++i) {
    history.push_back({i, i, Operation::kNeverReturned, {"APPEND", "k", fmt::format("{}", i)}, ""});
  }
  history.push_back(At(11, 1, 2, {"GET", "k"}, "$nothing"));
  EXPECT_EQ(CheckLinearizability(history, {.states_max = 1000}).kind, Verdict::Kind::kGaveUp);
}

// By trying every order, with nothing remembered: for histories of a few operations.
bool FitsInSomeOrder(const std::vector<Operation>& history) {
  std::vector<size_t> order(history.size());
  std::iota(order.begin(), order.end(), 0);
  do {
    bool fits = true;
    for (size_t i = 0; fits && i < order.size(); ++i) {
      for (size_t j = i + 1; fits && j < order.size(); ++j) {
        fits = history[order[j]].returned_nanos >= history[order[i]].called_nanos;
      }
    }
    KeyState state;
    for (size_t i = 0; fits && i < order.size(); ++i) {
      const Operation& operation = history[order[i]];
      fits = RunOnModel(state, operation.words, operation.reply) == operation.reply;
    }
    if (fits) return true;
  } while (std::next_permutation(order.begin(), order.end()));
  return false;
}

Words RandomCommand(std::mt19937& random) {
  const std::vector<Words> commands = {
      {"SET", "k", "1"},    {"SET", "k", "x"},          {"GET", "k"},
      {"INCR", "k"},        {"APPEND", "k", "2"},       {"DEL", "k"},
      {"GETSET", "k", "7"}, {"SETNX", "k", "3"},        {"RPUSH", "k", "a"},
      {"LPOP", "k"},        {"LRANGE", "k", "0", "-1"}, {"SET", "k", "9", "IFEQ", "1"}};
  return commands[random() % commands.size()];
}

// Replies of a run in some order, which then need not be one that the times allow.
std::vector<Operation> RandomHistory(std::mt19937& random) {
  std::vector<Operation> history;
  const int count = 2 + static_cast<int>(random() % 5);
  for (int i = 0; i < count; ++i) {
    const int64_t called = 10 * static_cast<int64_t>(random() % 8) + i;
    history.push_back({i, called, called + 1 + 10 * static_cast<int64_t>(random() % 4),
                       RandomCommand(random), ""});
  }
  std::shuffle(history.begin(), history.end(), random);
  KeyState state;
  for (Operation& operation : history) {
    operation.reply = RunOnModel(state, operation.words, operation.reply);
  }
  if (random() % 3 == 0) std::swap(history[0].reply, history[1].reply);
  return history;
}

TEST(Linearizability, AgreesWithTryingEveryOrder) {
  std::mt19937 random(20261128);
  int good = 0;
  constexpr int kHistories = 4000;
  for (int i = 0; i < kHistories; ++i) {
    const std::vector<Operation> history = RandomHistory(random);
    const bool expected = FitsInSomeOrder(history);
    ASSERT_EQ(IsLinearizable(history), expected) << "history " << i;
    good += expected ? 1 : 0;
  }
  // Both verdicts have been tested.
  EXPECT_GT(good, kHistories / 10);
  EXPECT_LT(good, kHistories * 9 / 10);
}

TEST(KeyModel, RepliesAsTheCommandsDo) {
  KeyState state;
  const auto run = [&](const Words& words) { return RunOnModel(state, words, ""); };
  EXPECT_EQ(run({"SET", "k", "9", "IFEQ", "1"}), "_");
  EXPECT_EQ(run({"APPEND", "k", "12"}), ":2");
  EXPECT_EQ(run({"INCR", "k"}), ":13");
  EXPECT_EQ(run({"LPUSH", "k", "a"}),
            "-WRONGTYPE Operation against a key holding the wrong kind of value");
  EXPECT_EQ(run({"GETDEL", "k"}), "$13");
  EXPECT_EQ(run({"ZADD", "k", "2", "b"}), ":1");
  EXPECT_EQ(run({"ZADD", "k", "1", "c"}), ":1");
  EXPECT_EQ(run({"ZINCRBY", "k", "2", "c"}), "$3");
  EXPECT_EQ(run({"ZPOPMIN", "k"}), "*[$b $2]");
  EXPECT_EQ(run({"ZREM", "k", "c"}), ":1");
  EXPECT_EQ(run({"EXISTS", "k"}), ":0");
  EXPECT_EQ(run({"HINCRBY", "k", "f", "3"}), ":3");
  EXPECT_EQ(run({"HGETALL", "k"}), "*[$f $3]");
}

}  // namespace
}  // namespace mikura::concurrency
