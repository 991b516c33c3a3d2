// SPDX-License-Identifier: Apache-2.0
#include "control/model/tags.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

ApiResult<> Add(Tags& tags, const Tags& added) {
  return AddTags(tags, added, ApiErrorCode::kTagLimitExceeded);
}

TEST(Tags, ANewValueReplacesTheOld) {
  Tags tags{{"Name", "a"}, {"env", "x"}};
  ASSERT_TRUE(Add(tags, {{"Name", "b"}, {"team", ""}}).ok());
  EXPECT_EQ(tags, (Tags{{"Name", "b"}, {"env", "x"}, {"team", ""}}));
}

TEST(Tags, ThereAreAtMostFifty) {
  Tags tags;
  for (int i = 0; i < 50; ++i) tags["key" + std::to_string(i)] = "";
  EXPECT_TRUE(Add(tags, {{"key0", "x"}}).ok());
  EXPECT_EQ(Add(tags, {{"one-more", ""}}).error().code, ApiErrorCode::kTagLimitExceeded);
  EXPECT_EQ(tags.size(), 50u);
}

TEST(Tags, LengthsAreInCharacters) {
  std::string key;
  for (int i = 0; i < 128; ++i) key += "\xE3\x81\x82";
  Tags tags;
  EXPECT_TRUE(Add(tags, {{key, std::string(256, 'v')}}).ok());
  EXPECT_FALSE(Add(tags, {{key + "x", ""}}).ok());
  EXPECT_FALSE(Add(tags, {{"k", std::string(257, 'v')}}).ok());
}

TEST(Tags, WrongKeysAndTextsAreRefused) {
  Tags tags;
  for (const char* key : {"", "aws:x", "AWS:x", "a\x01", "\xFF", "\xE3\x81"}) {
    EXPECT_EQ(Add(tags, {{key, "v"}}).error().code, ApiErrorCode::kInvalidParameterValue) << key;
  }
  EXPECT_EQ(Add(tags, {{"k", "\x7F"}}).error().code, ApiErrorCode::kInvalidParameterValue);
  EXPECT_TRUE(tags.empty());
}

}  // namespace
}  // namespace mikura::control
