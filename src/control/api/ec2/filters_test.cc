// SPDX-License-Identifier: Apache-2.0
#include "control/api/ec2/filters.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

TEST(Filters, AStarStandsForAnyText) {
  EXPECT_TRUE(MatchesPattern("*", ""));
  EXPECT_TRUE(MatchesPattern("10.*", "10.0.0.0/16"));
  EXPECT_TRUE(MatchesPattern("*a*b*", "xxaxxbxx"));
  EXPECT_FALSE(MatchesPattern("*a*b", "xxbxxa"));
}

TEST(Filters, AQuestionMarkStandsForOneCharacter) {
  EXPECT_TRUE(MatchesPattern("a?c", "abc"));
  EXPECT_FALSE(MatchesPattern("a?c", "ac"));
}

TEST(Filters, ABackslashTakesTheNextCharacterAsItIs) {
  EXPECT_TRUE(MatchesPattern("a\\*", "a*"));
  EXPECT_FALSE(MatchesPattern("a\\*", "ab"));
  EXPECT_TRUE(MatchesPattern("*\\?", "x?"));
}

TEST(Filters, TheWholeTextMustMatch) {
  EXPECT_FALSE(MatchesPattern("abc", "abcd"));
  EXPECT_FALSE(MatchesPattern("abcd", "abc"));
  EXPECT_FALSE(MatchesPattern("", "a"));
  EXPECT_TRUE(MatchesPattern("", ""));
}

TEST(Filters, ManyStarsAreNotSlow) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(MatchesPattern(pattern + "b", std::string(20'000, 'a')));
}

TEST(Filters, TagFiltersLookAtKeysAndValues) {
  const Tags tags{{"Name", "cache"}, {"env", "test"}};
  EXPECT_TRUE(MatchesTags({.name = "tag:Name", .values = {"cache"}}, tags));
  EXPECT_FALSE(MatchesTags({.name = "tag:Name", .values = {"test"}}, tags));
  EXPECT_TRUE(MatchesTags({.name = "tag-key", .values = {"e*"}}, tags));
  EXPECT_TRUE(MatchesTags({.name = "tag-value", .values = {"test"}}, tags));
}

}  // namespace
}  // namespace mikura::control
