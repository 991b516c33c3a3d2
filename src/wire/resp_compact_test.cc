// SPDX-License-Identifier: Apache-2.0
#include "wire/resp_compact.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "wire/resp_parser.h"

namespace mikura::wire {
namespace {

struct Parsed {
  size_t size = 0;
  std::vector<std::string_view> words;
  bool operator==(const Parsed&) const = default;
};

// In memory that ends where the input ends, so that the sanitizer sees a byte read too many.
Parsed Compact(std::string_view input) {
  const std::vector<char> exact(input.begin(), input.end());
  std::vector<std::string_view> words;
  Parsed parsed;
  parsed.size = ParseCompactResp({exact.data(), exact.size()}, words);
  for (const std::string_view word : words) {
    parsed.words.push_back(
        input.substr(static_cast<size_t>(word.data() - exact.data()), word.size()));
  }
  return parsed;
}

Parsed Whole(std::string_view input, const RespLimits& limits) {
  Parsed parsed;
  std::vector<std::unique_ptr<std::string>> storage;
  const RespResult result = ParseResp(input, limits, parsed.words, storage);
  if (result.status == RespStatus::kRequest) parsed.size = result.consumed;
  return parsed;
}

TEST(CompactResp, TakesTheUsualRequests) {
  EXPECT_EQ(Compact("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"), (Parsed{20, {"GET", "k"}}));
  const std::string value(999, 'v');
  const std::string set = "*3\r\n$3\r\nSET\r\n$10\r\n0123456789\r\n$999\r\n" + value + "\r\n";
  EXPECT_EQ(Compact(set + "*1"), (Parsed{set.size(), {"SET", "0123456789", value}}));
}

TEST(CompactResp, LeavesEverythingElseToTheParser) {
  for (const std::string_view input :
       {"", "*", "*1\r\n", "*0\r\n", "*10\r\n$1\r\na\r\n", "*-1\r\n", "PING\r\n", "*1\n$1\r\na\r\n",
        "*1\r\n$0\r\n\r\nxx", "*1\r\n$01\r\na\r\n", "*1\r\n$-1\r\n$1\r\n", "*1\r\n$1000\r\naaaa",
        "*1\r\n+1\r\na\r\n", "*1\r\n$1\rxa\r\n", "*2\r\n$1\r\na\r\n$1\r\nb\r"}) {
    EXPECT_EQ(Compact(input), Parsed{}) << input;
  }
}

// Whatever it accepts, ParseResp() accepts with the same words, before authentication too.
TEST(CompactResp, AgreesWithTheParserOnDamagedRequests) {
  std::mt19937 random(7);
  const auto below = [&](size_t limit) { return random() % limit; };
  const std::string_view whole = "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$12\r\nvalue\r\n$1\r\nx\r\n";
  int accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string input(whole);
    for (size_t i = below(3); i > 0; --i) input[below(input.size())] = "*$\r\n0129ax"[below(10)];
    input.resize(below(input.size() + 1));
    const Parsed compact = Compact(input);
    if (compact.size == 0) {
      ASSERT_TRUE(compact.words.empty());
      continue;
    }
    ++accepted;
    ASSERT_EQ(compact, Whole(input, RespLimits{})) << input;
    ASSERT_EQ(compact, Whole(input, RespLimits::Unauthenticated())) << input;
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace mikura::wire
