// SPDX-License-Identifier: Apache-2.0
#include "wire/resp_parser.h"

#include <gtest/gtest.h>

#include <random>

namespace mikura::wire {
namespace {

using Words = std::vector<std::string>;

struct Parsed {
  RespResult result;
  Words words;
};

// The input is copied to the end of its own allocation, so that the address sanitizer sees a read
// behind it.
Parsed Parse(std::string_view text, const RespLimits& limits = {}) {
  const std::unique_ptr<char[]> exact(new char[text.size()]);
  std::copy(text.begin(), text.end(), exact.get());
  std::vector<std::string_view> words;
  std::vector<std::unique_ptr<std::string>> storage;
  Parsed parsed;
  parsed.result = ParseResp({exact.get(), text.size()}, limits, words, storage);
  parsed.words.assign(words.begin(), words.end());
  return parsed;
}

TEST(RespParser, ReadsAMultibulkRequest) {
  const std::string text = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
  const Parsed parsed = Parse(text + "*1");
  EXPECT_EQ(parsed.result.status, RespStatus::kRequest);
  EXPECT_EQ(parsed.result.consumed, text.size());
  EXPECT_EQ(parsed.words, (Words{"GET", "k"}));
}

TEST(RespParser, ReadsInlineRequestsWithQuotes) {
  EXPECT_EQ(Parse("PING\r\n").words, Words{"PING"});
  EXPECT_EQ(Parse("set k \"a b\\x41\\n\" 'it\\'s'\n").words, (Words{"set", "k", "a bA\n", "it's"}));
  EXPECT_EQ(Parse("set k \"open\n").result.error, "Protocol error: unbalanced quotes in request");
  EXPECT_EQ(Parse("\r\n").result.status, RespStatus::kEmpty);
}

TEST(RespParser, WaitsForEveryMissingByte) {
  const std::string text = "*3\r\n$3\r\nSET\r\n$4\r\nname\r\n$5\r\nvalue\r\n";
  for (size_t size = 0; size < text.size(); ++size) {
    const Parsed parsed = Parse(text.substr(0, size));
    EXPECT_EQ(parsed.result.status, RespStatus::kIncomplete) << size;
    EXPECT_TRUE(parsed.words.empty()) << size;
    EXPECT_GT(parsed.result.bytes_needed, size);
    EXPECT_LE(parsed.result.bytes_needed, text.size());
  }
}

TEST(RespParser, NamesProtocolErrorsAsRedisDoes) {
  EXPECT_EQ(Parse("*x\r\n").result.error, "Protocol error: invalid multibulk length");
  EXPECT_EQ(Parse("*99999999999\r\n").result.error, "Protocol error: invalid multibulk length");
  EXPECT_EQ(Parse("*1\r\n+GET\r\n").result.error, "Protocol error: expected '$', got '+'");
  EXPECT_EQ(Parse("*1\r\n$-1\r\n").result.error, "Protocol error: invalid bulk length");
  EXPECT_EQ(Parse("*1\r\n$4294967296\r\n").result.error, "Protocol error: invalid bulk length");
  EXPECT_EQ(Parse("*11\r\n", RespLimits::Unauthenticated()).result.error,
            "Protocol error: unauthenticated multibulk length");
  EXPECT_EQ(Parse("*1\r\n$20000\r\n", RespLimits::Unauthenticated()).result.error,
            "Protocol error: unauthenticated bulk length");
  EXPECT_EQ(Parse(std::string(70000, 'a')).result.error, "Protocol error: too big inline request");
}

TEST(RespParser, TakesEmptyAndNegativeCountsAsNothing) {
  EXPECT_EQ(Parse("*0\r\n").result.status, RespStatus::kEmpty);
  EXPECT_EQ(Parse("*-1\r\nPING\r\n").result.consumed, 5u);
}

TEST(RespParser, AsksForAWholeBigValueAtOnce) {
  const Parsed parsed = Parse("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\nabc");
  EXPECT_EQ(parsed.result.bytes_needed, 20u + 10u + 1000000u + 2u);
}

TEST(RespParser, SurvivesRandomBytes) {
  std::mt19937 random(7);
  constexpr std::string_view kAlphabet = "*$0123456789-\r\n\"'\\x GETset\0";
  for (int round = 0; round < 50000; ++round) {
    std::string text;
    const size_t size = random() % 40;
    for (size_t i = 0; i < size; ++i) text.push_back(kAlphabet[random() % kAlphabet.size()]);
    const Parsed parsed = Parse(text);
    if (parsed.result.status == RespStatus::kRequest) {
      EXPECT_LE(parsed.result.consumed, text.size());
      EXPECT_FALSE(parsed.words.empty());
    }
  }
}

}  // namespace
}  // namespace mikura::wire
