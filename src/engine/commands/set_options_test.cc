// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/set_options.h"

#include <gtest/gtest.h>

#include <vector>

namespace mikura::engine {
namespace {

using Words = std::vector<std::string_view>;

bool SetAccepts(const Words& words) { return ParseSetOptions(words).ok(); }
bool GetExAccepts(const Words& words) { return ParseGetExOptions(words).ok(); }

TEST(SetOptions, WordsMayComeInAnyOrderAndCase) {
  const FaultOr<SetOptions> options = ParseSetOptions(Words{"get", "Px", "5", "nx"});
  ASSERT_TRUE(options.ok());
  EXPECT_TRUE(options->get);
  EXPECT_EQ(options->condition, SetCondition::kIfAbsent);
  EXPECT_EQ(options->form, ExpireForm::kMillis);
  EXPECT_EQ(options->expire_text, "5");
}

TEST(SetOptions, ContradictionsAreSyntaxErrors) {
  EXPECT_FALSE(SetAccepts({"NX", "XX"}));
  EXPECT_FALSE(SetAccepts({"XX", "IFEQ", "v"}));
  EXPECT_FALSE(SetAccepts({"IFNE", "v", "IFEQ", "v"}));
  EXPECT_FALSE(SetAccepts({"IFEQ", "v", "IFDEQ", "0123456789abcdef"}));
  EXPECT_FALSE(SetAccepts({"EX", "1", "PX", "1"}));
  EXPECT_FALSE(SetAccepts({"EX", "1", "KEEPTTL"}));
  EXPECT_FALSE(SetAccepts({"KEEPTTL", "PXAT", "1"}));
  EXPECT_FALSE(SetAccepts({"PERSIST"}));
}

TEST(SetOptions, AWordWithoutItsNumberIsASyntaxError) {
  EXPECT_FALSE(SetAccepts({"EX"}));
  EXPECT_FALSE(SetAccepts({"IFEQ"}));
  EXPECT_FALSE(SetAccepts({"v2"}));
}

TEST(SetOptions, TheSameWordTwiceCountsTheLastTime) {
  const FaultOr<SetOptions> options = ParseSetOptions(Words{"EX", "1", "EX", "2", "NX", "NX"});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->expire_text, "2");
}

TEST(SetOptions, GetExTakesOneExpiryOrPersist) {
  EXPECT_TRUE(GetExAccepts({}));
  EXPECT_TRUE(GetExAccepts({"EXAT", "1"}));
  EXPECT_TRUE(GetExAccepts({"persist"}));
  EXPECT_FALSE(GetExAccepts({"PERSIST", "EX", "1"}));
  EXPECT_FALSE(GetExAccepts({"EX", "1", "PERSIST"}));
  EXPECT_FALSE(GetExAccepts({"KEEPTTL"}));
  EXPECT_FALSE(GetExAccepts({"NX"}));
}

TEST(DeadlineOf, CountsFromNowOrFromTheEpoch) {
  EXPECT_EQ(*DeadlineOf("2", ExpireForm::kSeconds, 1000), 3000);
  EXPECT_EQ(*DeadlineOf("2", ExpireForm::kMillis, 1000), 1002);
  EXPECT_EQ(*DeadlineOf("2", ExpireForm::kAtSeconds, 1000), 2000);
  EXPECT_EQ(*DeadlineOf("2", ExpireForm::kAtMillis, 1000), 2);
}

TEST(DeadlineOf, RefusesWhatIsNotPositiveOrBeyondTime) {
  for (const std::string_view text : {"0", "-1", "9223372036854775807"}) {
    EXPECT_EQ(DeadlineOf(text, ExpireForm::kSeconds, 1000).error(), Fault::kInvalidExpire) << text;
  }
  EXPECT_EQ(DeadlineOf("9223372036854775807", ExpireForm::kMillis, 1).error(),
            Fault::kInvalidExpire);
  EXPECT_EQ(DeadlineOf("x", ExpireForm::kMillis, 1).error(), Fault::kNotAnInteger);
}

TEST(DeadlineOf, TheGreatestMomentIsStillADeadline) {
  EXPECT_EQ(*DeadlineOf("9223372036854775807", ExpireForm::kAtMillis, 1), INT64_MAX - 1);
}

}  // namespace
}  // namespace mikura::engine
