// SPDX-License-Identifier: Apache-2.0
#include "base/numbers.h"

#include <gtest/gtest.h>

namespace mikura {
namespace {

TEST(ParseInt64, TakesOnlyTheCanonicalForm) {
  EXPECT_EQ(ParseInt64("0"), 0);
  EXPECT_EQ(ParseInt64("-12"), -12);
  EXPECT_EQ(ParseInt64("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(ParseInt64("-9223372036854775808"), INT64_MIN);
  for (const char* bad : {"", "-", "+1", "01", "-0", " 1", "1 ", "9223372036854775808", "1.0"}) {
    EXPECT_EQ(ParseInt64(bad), std::nullopt) << bad;
  }
}

TEST(ParseByteCount, KnowsTheUnitsOfRedisConf) {
  EXPECT_EQ(ParseByteCount("100mb"), 100u << 20);
  EXPECT_EQ(ParseByteCount("1G"), 1'000'000'000u);
  EXPECT_EQ(ParseByteCount("5k"), 5000u);
  EXPECT_EQ(ParseByteCount("7"), 7u);
  for (const char* bad : {"", "mb", "-1", "1tb", "18446744073709551615gb"}) {
    EXPECT_EQ(ParseByteCount(bad), std::nullopt) << bad;
  }
}

TEST(FormatDouble, TrimsWhatCarriesNoInformation) {
  EXPECT_EQ(FormatDouble(3.0L), "3");
  EXPECT_EQ(FormatDouble(10.5L), "10.5");
  EXPECT_EQ(FormatDouble(-0.0L), "0");
}

}  // namespace
}  // namespace mikura
