// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/effects.h"

#include <gtest/gtest.h>

namespace mikura::engine {
namespace {

std::string Command(std::initializer_list<std::string_view> words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    out += "$" + std::to_string(word.size()) + "\r\n" + std::string(word) + "\r\n";
  }
  return out;
}

TEST(Effects, OneEffectIsTheCommandItself) {
  Effects effects;
  effects.Begin(true);
  effects.Add(0, {"SET", "k", std::string_view("a\0b", 3)});
  EXPECT_EQ(effects.Record(), Command({"SET", "k", std::string_view("a\0b", 3)}));
}

TEST(Effects, SeveralEffectsAreOneTransaction) {
  Effects effects;
  effects.Begin(true);
  effects.Add(0, {"DEL", "a"});
  effects.Add(0, {"SET", "b", ""});
  EXPECT_EQ(effects.Record(), Command({"MULTI"}) + Command({"DEL", "a"}) +
                                  Command({"SET", "b", ""}) + Command({"EXEC"}));
}

TEST(Effects, ARecordOfAnotherDatabaseReturnsToDatabaseZero) {
  Effects effects;
  effects.Begin(true);
  effects.Add(3, {"DEL", "a"});
  const std::string expected =
      Command({"SELECT", "3"}) + Command({"DEL", "a"}) + Command({"SELECT", "0"});
  EXPECT_EQ(effects.Record(), expected);
  EXPECT_EQ(effects.Record(), expected);  // asking twice changes nothing
}

TEST(Effects, DatabasesInsideATransactionAreSelectedOnlyWhenTheyChange) {
  Effects effects;
  effects.Begin(true);
  effects.Add(0, {"DEL", "a"});
  effects.Add(1, {"DEL", "b"});
  effects.Add(1, {"DEL", "c"});
  EXPECT_EQ(effects.Record(), Command({"MULTI"}) + Command({"DEL", "a"}) +
                                  Command({"SELECT", "1"}) + Command({"DEL", "b"}) +
                                  Command({"DEL", "c"}) + Command({"EXEC"}) +
                                  Command({"SELECT", "0"}));
}

TEST(Effects, ATransactionInAnotherDatabaseStandsBetweenSelects) {
  Effects effects;
  effects.Begin(true);
  effects.Add(2, {"DEL", "a"});
  effects.Add(2, {"DEL", "b"});
  const std::string expected = Command({"SELECT", "2"}) + Command({"MULTI"}) +
                               Command({"DEL", "a"}) + Command({"DEL", "b"}) + Command({"EXEC"}) +
                               Command({"SELECT", "0"});
  EXPECT_EQ(effects.Record(), expected);
  EXPECT_EQ(effects.Record(), expected);
}

TEST(Effects, NothingIsGatheredWhenNobodyReadsTheLog) {
  Effects effects;
  effects.Begin(false);
  effects.Add(0, {"DEL", "a"});
  EXPECT_TRUE(effects.empty());
}

TEST(Effects, MutedEffectsStayEmpty) {
  Effects effects{Effects::Muted{}};
  effects.Begin(true);
  effects.Add(0, {"DEL", "a"});
  EXPECT_TRUE(effects.empty());
}

TEST(Effects, BeginForgetsTheRecordBefore) {
  Effects effects;
  effects.Begin(true);
  effects.Add(5, {"DEL", "a"});
  effects.Begin(true);
  effects.Add(0, {"DEL", "b"});
  EXPECT_EQ(effects.Record(), Command({"DEL", "b"}));
}

}  // namespace
}  // namespace mikura::engine
