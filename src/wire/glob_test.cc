// SPDX-License-Identifier: Apache-2.0
#include "wire/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace mikura::wire {
namespace {

TEST(Glob, AStarMatchesAnyRunAndNothing) {
  EXPECT_TRUE(GlobMatch("*", ""));
  EXPECT_TRUE(GlobMatch("a*", "a"));
  EXPECT_TRUE(GlobMatch("a*c", "abbbc"));
  EXPECT_TRUE(GlobMatch("*a*b*", "xxaxxbxx"));
  EXPECT_FALSE(GlobMatch("a*c", "abbbcd"));
}

TEST(Glob, AQuestionMarkMatchesExactlyOneCharacter) {
  EXPECT_TRUE(GlobMatch("h?llo", "hello"));
  EXPECT_FALSE(GlobMatch("h?llo", "hllo"));
  EXPECT_FALSE(GlobMatch("?", ""));
}

TEST(Glob, AClassMatchesItsMembersRangesAndNegation) {
  EXPECT_TRUE(GlobMatch("h[ae]llo", "hallo"));
  EXPECT_FALSE(GlobMatch("h[ae]llo", "hillo"));
  EXPECT_TRUE(GlobMatch("h[a-c]llo", "hbllo"));
  EXPECT_TRUE(GlobMatch("h[c-a]llo", "hbllo"));
  EXPECT_TRUE(GlobMatch("h[^e]llo", "hallo"));
  EXPECT_FALSE(GlobMatch("h[^e]llo", "hello"));
  EXPECT_TRUE(GlobMatch("[\\]]", "]"));
}

TEST(Glob, AnEmptyClassMatchesNothingAndItsNegationEverything) {
  EXPECT_FALSE(GlobMatch("[]", "a"));
  EXPECT_TRUE(GlobMatch("[^]", "a"));
}

TEST(Glob, AnUnclosedClassEndsWithThePattern) {
  EXPECT_TRUE(GlobMatch("h[ae", "ha"));
  EXPECT_FALSE(GlobMatch("h[ae", "hall"));
  EXPECT_FALSE(GlobMatch("[", "["));
}

TEST(Glob, ABackslashTakesTheNextCharacterAsItIs) {
  EXPECT_TRUE(GlobMatch("a\\*c", "a*c"));
  EXPECT_FALSE(GlobMatch("a\\*c", "abc"));
  EXPECT_TRUE(GlobMatch("a\\", "a\\"));
}

TEST(Glob, CaseIsIgnoredOnlyWhenAsked) {
  EXPECT_FALSE(GlobMatch("MAX*", "maxmemory"));
  EXPECT_TRUE(GlobMatch("MAX*", "maxmemory", GlobCase::kInsensitive));
  EXPECT_TRUE(GlobMatch("[A-C]x", "bX", GlobCase::kInsensitive));
}

TEST(Glob, BinaryBytesAreCharacters) {
  EXPECT_TRUE(GlobMatch("?", std::string_view("\0", 1)));
  EXPECT_TRUE(GlobMatch("[\x80-\xff]", "\x90"));
}

TEST(Glob, ManyStarsTakeNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 500; ++i) pattern += "a*";
  pattern += 'b';
  EXPECT_FALSE(GlobMatch(pattern, std::string(5000, 'a')));
}

TEST(Glob, AVeryLongPatternNeedsNoRecursion) {
  EXPECT_TRUE(GlobMatch(std::string(1'000'000, '*'), "x"));
  EXPECT_FALSE(GlobMatch(std::string(1'000'000, '['), "x"));
}

}  // namespace
}  // namespace mikura::wire
