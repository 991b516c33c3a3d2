// SPDX-License-Identifier: Apache-2.0
#include "base/numbers.h"

#include <gtest/gtest.h>

#include <cmath>

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

TEST(ParseDouble, TakesWhatStrtodTakesWithinTheRange) {
  EXPECT_EQ(ParseDouble("1e3"), 1000);
  EXPECT_EQ(ParseDouble("0x10"), 16);
  EXPECT_EQ(ParseDouble("-inf"), -INFINITY);
  EXPECT_EQ(ParseDouble("1e-310"), 1e-310);
  EXPECT_EQ(ParseDouble(std::string(300, '1')), 1.1111111111111112e+299);
  for (const char* bad : {"", " 1", "1 ", "nan", "1e400", "-1e400", "1e-400", "1x", "\t1"}) {
    EXPECT_EQ(ParseDouble(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(ParseDouble(std::string_view("1\0", 2)), std::nullopt);
}

TEST(FormatDouble17, PrintsAsPrintfDoes) {
  const auto text = [](double value) {
    char out[kDoubleTextMax];
    return std::string(out, FormatDouble17(value, out));
  };
  EXPECT_EQ(text(0), "0");
  EXPECT_EQ(text(-0.0), "-0");
  EXPECT_EQ(text(INFINITY), "inf");
  EXPECT_EQ(text(-INFINITY), "-inf");
  EXPECT_EQ(text(0.1), "0.10000000000000001");
  EXPECT_EQ(text(-5e-324), "-4.9406564584124654e-324");
  for (const double value : {1.0, -3.0, 1e14, 1e15, -1e15, 1e16, 12345678901234567.0, 1e17, 1.5}) {
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "%.17g", value);
    EXPECT_EQ(text(value), wanted);
  }
}

}  // namespace
}  // namespace mikura
