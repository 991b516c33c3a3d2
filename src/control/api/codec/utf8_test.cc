// SPDX-License-Identifier: Apache-2.0
#include "control/api/codec/utf8.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

TEST(Utf8, TextOfEveryLengthIsTaken) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("a\xC3\xA9\xE3\x81\x82\xF0\x9F\x98\x80"));
  EXPECT_EQ(FirstCharacter("\xF0\x9F\x98\x80!").code, 0x1F600u);
  EXPECT_TRUE(IsUtf8("\xF4\x8F\xBF\xBF"));
}

TEST(Utf8, WhatIsNoCharacterIsRefused) {
  for (const char* text : {"\xFF", "a\x80", "\xC3", "\xC3(", "\xC0\x80", "\xE0\x80\xAF",
                           "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(IsUtf8(text)) << text;
  }
}

}  // namespace
}  // namespace mikura::control
