// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/function_payload.h"

#include <gtest/gtest.h>

#include <cstring>

#include "engine/persistence/crc64.h"

namespace mikura::engine {
namespace {

using std::string_literals::operator""s;

constexpr char kCode[] = "#!lua name=lib\nredis.register_function('f', function(k,a) return 1 end)";
// What FUNCTION DUMP of redis-server 7.0.15 answers for that library, and for none.
const std::string kDump = "\xf5\x40\x47"s + kCode + "\x0a\x00\xac\xda\x9a\x1c\xac\xd0\xcb\x8c"s;
const std::string kEmptyDump = "\x0a\x00\x5d\x9b\x5c\x40\x0f\x7f\xa2\xda"s;
// The same for a text that repeats itself, which it compresses.
const std::string kCompressedDump =
    "\xf5\xc3\x40\x4b\x41\x70\x1f#!lua name=lib\nredis.register_fu\x0anction('f',\xe0\x00\x0c\x0c)"
    " return 'abc\xe0\xff\x02\xe1\x18\x07\x05' end)\x0a\x00\x79\x65\xe6\xe2\xdf\x9d\x8d\x1b"s;

std::string WithFooter(std::string body) {
  body += "\x0a\x00"s;
  const uint64_t checksum = Crc64(0, body);
  return body.append(reinterpret_cast<const char*>(&checksum), sizeof(checksum));
}

std::string ErrorOf(const std::string& payload) {
  auto codes = ReadFunctionDump(payload);
  return codes.ok() ? "" : codes.error().message;
}

TEST(FunctionPayload, IsWhatRedisWrites) {
  EXPECT_EQ(DumpFunctions(std::vector<std::string>{kCode}), kDump);
  EXPECT_EQ(DumpFunctions({}), kEmptyDump);
}

TEST(FunctionPayload, ReadsWhatRedisWrites) {
  EXPECT_EQ(*ReadFunctionDump(kDump), std::vector<std::string>{kCode});
  EXPECT_TRUE(ReadFunctionDump(kEmptyDump)->empty());
  std::string repeated;
  for (int i = 0; i < 100; ++i) repeated += "abc";
  EXPECT_EQ(
      *ReadFunctionDump(kCompressedDump),
      std::vector<std::string>{"#!lua name=lib\nredis.register_function('f',function() return '" +
                               repeated + "' end)"});
}

TEST(FunctionPayload, ReadsBackLongAndManyCodes) {
  const std::vector<std::string> codes = {"", std::string(63, 'a'), std::string(64, 'b'),
                                          std::string(20'000, 'c')};
  EXPECT_EQ(*ReadFunctionDump(DumpFunctions(codes)), codes);
}

TEST(FunctionPayload, RefusesWhatIsDamaged) {
  constexpr char kBad[] = "ERR DUMP payload version or checksum are wrong";
  EXPECT_EQ(ErrorOf(""), kBad);
  EXPECT_EQ(ErrorOf("x"), kBad);
  for (size_t i = 0; i < kDump.size(); ++i) {
    std::string damaged = kDump;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_EQ(ErrorOf(damaged), kBad) << i;
  }
}

TEST(FunctionPayload, RefusesWhatIsNoFunction) {
  EXPECT_EQ(ErrorOf(WithFooter("\x01x"s)), "ERR given type is not a function");
  EXPECT_EQ(ErrorOf(WithFooter("\xf6x"s)), "ERR Pre-GA function format not supported");
  constexpr char kMalformed[] = "ERR Failed loading library payload";
  for (const std::string& body :
       {"\xf5"s,
        "\xf5\x05"
        "abc"s,
        "\xf5\x40"s, "\xf5\x80\xff"s, "\xf5\x81\xff\xff\xff\xff\xff\xff\xff\xff"s, "\xf5\xc0\x01"s,
        "\xf5\xc3"s, "\xf5\xc3\x05\x05"s,
        "\xf5\xc3\x01\x80\xff\xff\xff\xff"
        "a"s,
        "\xf5\xc3\x01\x05\x20"s, "\xf5\x82"s}) {
    EXPECT_EQ(ErrorOf(WithFooter(body)), kMalformed) << testing::PrintToString(body);
  }
}

}  // namespace
}  // namespace mikura::engine
