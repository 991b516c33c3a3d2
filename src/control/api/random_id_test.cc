// SPDX-License-Identifier: Apache-2.0
#include "control/api/random_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace mikura::control {
namespace {

TEST(RandomId, AResourceIdIsAPrefixAndSeventeenHexadecimalDigits) {
  EXPECT_THAT(NewResourceId("vpc-"), testing::MatchesRegex("vpc-[0-9a-f]{17}"));
  EXPECT_NE(NewResourceId("vpc-"), NewResourceId("vpc-"));
}

TEST(RandomId, ARequestIdIsARandomUuid) {
  EXPECT_THAT(
      NewRequestId(),
      testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
}

TEST(RandomId, EveryCharacterOfTheAlphabetOccurs) {
  const std::string text = RandomText(2000, "abcde");
  EXPECT_EQ(std::set<char>(text.begin(), text.end()), (std::set<char>{'a', 'b', 'c', 'd', 'e'}));
}

}  // namespace
}  // namespace mikura::control
