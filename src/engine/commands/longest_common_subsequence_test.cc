// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/longest_common_subsequence.h"

#include <gtest/gtest.h>

namespace mikura::engine {
namespace {

TEST(LongestCommonSubsequence, FindsBytesInOrder) {
  const LcsResult result = LongestCommonSubsequence("ohmytext", "mynewtext");
  EXPECT_EQ(result.common, "mytext");
  ASSERT_EQ(result.matches.size(), 2u);
  EXPECT_EQ(result.matches[0].first_a, 4u);
  EXPECT_EQ(result.matches[0].first_b, 5u);
  EXPECT_EQ(result.matches[0].length, 4u);
  EXPECT_EQ(result.matches[1].first_a, 2u);
  EXPECT_EQ(result.matches[1].first_b, 0u);
  EXPECT_EQ(result.matches[1].length, 2u);
}

TEST(LongestCommonSubsequence, OfNothingIsNothing) {
  EXPECT_EQ(LongestCommonSubsequence("", "abc").common, "");
  EXPECT_EQ(LongestCommonSubsequence("abc", "xyz").common, "");
  EXPECT_TRUE(LongestCommonSubsequence("", "").matches.empty());
}

TEST(LongestCommonSubsequence, CountsTheMemoryItNeeds) {
  EXPECT_EQ(LcsTableBytes(3, 4), 80u);
  EXPECT_EQ(LcsTableBytes(SIZE_MAX / 2, SIZE_MAX / 2), SIZE_MAX);
}

}  // namespace
}  // namespace mikura::engine
