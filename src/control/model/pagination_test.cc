// SPDX-License-Identifier: Apache-2.0
#include "control/model/pagination.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

std::optional<Page<std::string>> PageOf(std::vector<std::string> items,
                                        const std::optional<std::string>& token, size_t size) {
  return Paginate(
      std::move(items), [](const std::string& item) { return item; }, token, size);
}

TEST(Pagination, PagesFollowEachOtherUntilTheLast) {
  const std::vector<std::string> items{"a", "b", "c"};
  const auto first = PageOf(items, std::nullopt, 2);
  EXPECT_EQ(first->items, (std::vector<std::string>{"a", "b"}));
  const auto last = PageOf(items, first->next_token, 2);
  EXPECT_EQ(last->items, (std::vector<std::string>{"c"}));
  EXPECT_EQ(last->next_token, std::nullopt);
}

TEST(Pagination, APageThatTakesAllIsTheLast) {
  EXPECT_EQ(PageOf({"a", "b"}, std::nullopt, 2)->next_token, std::nullopt);
}

TEST(Pagination, ChangesBetweenTwoPagesNeitherRepeatNorHide) {
  const auto first = PageOf({"b", "d", "f"}, std::nullopt, 2);
  const auto next = PageOf({"a", "b", "e", "f"}, first->next_token, 2);  // a and e came, d went
  EXPECT_EQ(next->items, (std::vector<std::string>{"e", "f"}));
}

TEST(Pagination, AForeignTokenIsRefused) {
  for (const char* token : {"", "x", "m1zz", "m1a", "m2ab"}) {
    EXPECT_FALSE(PageOf({"a"}, token, 2).has_value()) << token;
  }
}

TEST(Pagination, ThePageSizeHasBounds) {
  EXPECT_EQ(*PageSize(std::nullopt, 20, 100, "MaxRecords"), 100u);
  EXPECT_EQ(*PageSize(20, 20, 100, "MaxRecords"), 20u);
  EXPECT_FALSE(PageSize(19, 20, 100, "MaxRecords").ok());
  EXPECT_FALSE(PageSize(101, 20, 100, "MaxRecords").ok());
}

}  // namespace
}  // namespace mikura::control
