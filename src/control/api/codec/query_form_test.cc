// SPDX-License-Identifier: Apache-2.0
#include "control/api/codec/query_form.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

TEST(QueryForm, FieldsKeepTheirOrderAndAreDecoded) {
  const auto fields = ParseForm("Action=Describe&Filter.1.Name=tag%3AName&b=a+b&empty");
  ASSERT_TRUE(fields.has_value());
  ASSERT_EQ(fields->size(), 4u);
  EXPECT_EQ((*fields)[1].name, "Filter.1.Name");
  EXPECT_EQ((*fields)[1].value, "tag:Name");
  EXPECT_EQ((*fields)[2].value, "a b");
  EXPECT_EQ((*fields)[3].name, "empty");
  EXPECT_EQ((*fields)[3].value, "");
}

TEST(QueryForm, BrokenPercentSequencesAreRefused) {
  EXPECT_EQ(ParseForm("a=%4"), std::nullopt);
  EXPECT_EQ(ParseForm("a=%zz"), std::nullopt);
  EXPECT_EQ(ParseForm("a=%00"), std::nullopt);
}

TEST(QueryForm, TextThatIsNotUtf8IsRefused) {
  EXPECT_EQ(ParseForm("Description=%ED%A0%80"), std::nullopt);
  EXPECT_EQ(ParseForm("Description=%FF"), std::nullopt);
  EXPECT_EQ(ParseForm("%FF=1"), std::nullopt);
  EXPECT_NE(ParseForm("Description=%E3%81%82"), std::nullopt);
}

TEST(QueryForm, OnlyUnreservedCharactersStayPlain) {
  EXPECT_EQ(PercentEncode("aZ9-_.~ /\xE3\x81\x82", false), "aZ9-_.~%20%2F%E3%81%82");
  EXPECT_EQ(PercentEncode("/a b", true), "/a%20b");
}

TEST(QueryForm, DecodingAPathKeepsThePlus) { EXPECT_EQ(PercentDecode("a+b%2B"), "a+b+"); }

}  // namespace
}  // namespace mikura::control
