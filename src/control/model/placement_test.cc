// SPDX-License-Identifier: Apache-2.0
#include "control/model/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mikura::control {
namespace {

using ::testing::ElementsAre;

TEST(Placement, WishesAreKeptInTheirOrder) {
  EXPECT_THAT(*PlaceNodes(3, {"c", "a", "c"}, {"a", "c"}, true), ElementsAre("c", "a", "c"));
}

TEST(Placement, WithoutWishesNodesGoRoundTheZones) {
  EXPECT_THAT(*PlaceNodes(3, {}, {"a", "c"}, true), ElementsAre("a", "c", "a"));
}

TEST(Placement, WithoutSpreadNodesStayInTheFirstZone) {
  EXPECT_THAT(*PlaceNodes(2, {}, {"a", "c"}, false), ElementsAre("a", "a"));
}

TEST(Placement, TheCountOfWishesMustBeThatOfNodes) {
  EXPECT_EQ(PlaceNodes(2, {"a"}, {"a"}, true).error().code,
            ApiErrorCode::kInvalidParameterCombination);
}

TEST(Placement, AZoneOutsideIsAnInvalidValue) {
  EXPECT_EQ(PlaceNodes(1, {"z"}, {"a"}, true).error().code, ApiErrorCode::kInvalidParameterValue);
}

}  // namespace
}  // namespace mikura::control
