// SPDX-License-Identifier: Apache-2.0
#include "control/api/codec/iso_time.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

TEST(IsoTime, IsWrittenWithMillisecondsInUtc) {
  EXPECT_EQ(FormatIsoTime(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(FormatIsoTime(1'709'210'096'789), "2024-02-29T12:34:56.789Z");
  EXPECT_EQ(FormatIsoTime(-1), "1969-12-31T23:59:59.999Z");
}

TEST(IsoTime, ReadsBackWhatItWrote) {
  EXPECT_EQ(ParseIsoTime("2024-02-29T12:34:56.789Z"), 1'709'210'096'789);
}

TEST(IsoTime, AcceptsOffsetsAndShortDecimals) {
  EXPECT_EQ(ParseIsoTime("1970-01-01T09:00:01.5+09:00"), 1'500);
  EXPECT_EQ(ParseIsoTime("1969-12-31T19:00:00-0500"), 0);
}

TEST(IsoTime, RefusesDaysThatDoNotExistAndTextAfterTheEnd) {
  EXPECT_EQ(ParseIsoTime("2023-02-29T00:00:00Z"), std::nullopt);
  EXPECT_EQ(ParseIsoTime("2024-01-01T24:00:00Z"), std::nullopt);
  EXPECT_EQ(ParseIsoTime("2024-01-01T00:00:00Zx"), std::nullopt);
  EXPECT_EQ(ParseIsoTime("2024-01-01T00:00:00"), std::nullopt);
  EXPECT_EQ(ParseIsoTime("2024-01-01T00:00:00.Z"), std::nullopt);
  EXPECT_EQ(ParseIsoTime(""), std::nullopt);
}

TEST(IsoTime, ReadsTheFormOfSignatures) {
  EXPECT_EQ(ParseBasicIsoTime("19700102T000001Z"), 86'401'000);
  EXPECT_EQ(ParseBasicIsoTime("1970-01-02T00:00:01Z"), std::nullopt);
  EXPECT_EQ(ParseBasicIsoTime("19700102T000001"), std::nullopt);
}

}  // namespace
}  // namespace mikura::control
