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
  EXPECT_EQ(effects.Record().bytes, Command({"SET", "k", std::string_view("a\0b", 3)}));
}

TEST(Effects, SeveralEffectsAreOneTransaction) {
  Effects effects;
  effects.Begin(true);
  effects.Add(0, {"DEL", "a"});
  effects.Add(0, {"SET", "b", ""});
  EXPECT_EQ(effects.Record().bytes, Command({"MULTI"}) + Command({"DEL", "a"}) +
                                        Command({"SET", "b", ""}) + Command({"EXEC"}));
}

TEST(Effects, ARecordSaysWhichDatabaseItIsFor) {
  Effects effects;
  effects.Begin(true);
  effects.Add(3, {"DEL", "a"});
  EXPECT_EQ(effects.Record().bytes, Command({"DEL", "a"}));
  EXPECT_EQ(effects.Record().first_database, 3);
  EXPECT_EQ(effects.Record().last_database, 3);
}

TEST(Effects, DatabasesInsideATransactionAreSelectedOnlyWhenTheyChange) {
  Effects effects;
  effects.Begin(true);
  effects.Add(2, {"DEL", "a"});
  effects.Add(1, {"DEL", "b"});
  effects.Add(1, {"DEL", "c"});
  const std::string expected = Command({"MULTI"}) + Command({"DEL", "a"}) +
                               Command({"SELECT", "1"}) + Command({"DEL", "b"}) +
                               Command({"DEL", "c"}) + Command({"EXEC"});
  EXPECT_EQ(effects.Record().bytes, expected);
  EXPECT_EQ(effects.Record().bytes, expected);  // asking twice changes nothing
  EXPECT_EQ(effects.Record().first_database, 2);
  EXPECT_EQ(effects.Record().last_database, 1);
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
  EXPECT_EQ(effects.Record().bytes, Command({"DEL", "b"}));
}

}  // namespace
}  // namespace mikura::engine
