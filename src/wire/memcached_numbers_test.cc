// SPDX-License-Identifier: Apache-2.0
#include "wire/memcached_numbers.h"

#include <gtest/gtest.h>

#include <string>

namespace mikura::wire {
namespace {

TEST(MemcachedNumbers, AreReadWithTheLeniencyOfTheCLibrary) {
  EXPECT_EQ(ReadMemcachedUnsigned("0"), 0u);
  EXPECT_EQ(ReadMemcachedUnsigned("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(ReadMemcachedUnsigned("+5"), 5u);
  EXPECT_EQ(ReadMemcachedUnsigned("\t 7"), 7u);
  EXPECT_EQ(ReadMemcachedUnsigned("12 abc"), 12u);
  EXPECT_EQ(ReadMemcachedUnsigned("-0"), 0u);
  EXPECT_EQ(ReadMemcachedUnsigned("-18446744073709551615"), 1u);
  EXPECT_EQ(ReadMemcachedUnsigned(std::string_view("1\0z", 3)), 1u);
}

TEST(MemcachedNumbers, AreRefusedWhenTheyAreNone) {
  for (const char* bad : {"", " ", " x", "abc", "12abc", "-1", "+", "-", "18446744073709551616",
                          "99999999999999999999999"}) {
    EXPECT_EQ(ReadMemcachedUnsigned(bad), std::nullopt) << bad;
  }
  for (const char* bad : {"", "x", "9223372036854775808", "-9223372036854775809", "1x"}) {
    EXPECT_EQ(ReadMemcachedInt32(bad), std::nullopt) << bad;
  }
}

TEST(MemcachedNumbers, AreCutToTheirLow32Bits) {
  EXPECT_EQ(ReadMemcachedUint32("4294967296"), 0u);
  EXPECT_EQ(ReadMemcachedInt32("2147483648"), INT32_MIN);
  EXPECT_EQ(ReadMemcachedInt32("-2147483649"), INT32_MAX);
  EXPECT_EQ(ReadMemcachedInt32("4294967300"), 4);
}

std::string Decode(std::string_view text) {
  std::string out(text.size(), '\0');
  out.resize(DecodeBase64(text, out.data()));
  return out;
}

TEST(Base64, DecodesWhatItEncodes) {
  std::string bytes;
  for (int i = 0; i < 64; ++i) {
    std::string text(EncodedBase64Size(bytes.size()), '\0');
    ASSERT_EQ(EncodeBase64(bytes, text.data()), text.size());
    EXPECT_EQ(Decode(text), bytes);
    bytes.push_back(static_cast<char>(i * 37));
  }
}

TEST(Base64, RefusesWrongLettersLengthsAndPadding) {
  EXPECT_EQ(Decode("YWI="), "ab");
  for (const char* bad : {"", "Y", "YQ", "YQ=", "!!!!", "====", "Y===", "YQ=a", "YQ==YQ=="}) {
    EXPECT_EQ(Decode(bad), "") << bad;
  }
}

}  // namespace
}  // namespace mikura::wire
