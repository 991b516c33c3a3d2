// SPDX-License-Identifier: Apache-2.0
#include "wire/memcached_compact.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "wire/memcached_parser.h"

namespace mikura::wire {
namespace {

// What a request says, as text; empty when none was parsed.
std::string Describe(const MemcachedRequest& r, size_t size) {
  return fmt::format("{} bytes: {} key=<{}> data=<{}> flags=<{}> {} {} {}{}{}", size,
                     static_cast<int>(r.command), r.key, r.data, r.meta_flags, r.client_flags,
                     r.exptime, r.mode, r.noreply ? " noreply" : "", r.last_key ? " last" : "");
}

// In memory that ends where the input ends, so that the sanitizer sees a byte read too many.
std::string Compact(std::string_view input) {
  const std::vector<char> exact(input.begin(), input.end());
  MemcachedRequest request;
  const size_t size = ParseCompactMemcached({exact.data(), exact.size()}, &request);
  return size == 0 ? "" : Describe(request, size);
}

// What the parser says when the compact form is no option: it sees a part of the line first.
std::string Whole(std::string_view input) {
  MemcachedParser parser({.protocol = MemcachedProtocol::kAscii});
  MemcachedRequest request;
  size_t consumed = 0;
  EXPECT_EQ(parser.Parse(input.substr(0, 1), &request, &consumed), MemcachedParseStatus::kNeedMore);
  const auto status = parser.Parse(input, &request, &consumed);
  return status == MemcachedParseStatus::kComplete ? Describe(request, consumed) : "";
}

const std::vector<std::string> kUsual = {
    "get key\r\n",
    "gets a-key-that-is-longer-than-sixteen-bytes\r\n",
    "set key 7 60 5\r\nvalue\r\n",
    "set key 0 0 0 noreply\r\n\r\n",
    "mg k\r\n",
    "mg key v\r\n",
    "mg key k t f s c h q u v\r\n",
    "ms key 5\r\nvalue\r\n",
    "ms key 5 T60 F7 k c q\r\nvalue\r\n",
};

TEST(CompactMemcached, TakesTheUsualRequests) {
  for (const std::string& input : kUsual) {
    EXPECT_NE(Compact(input), "") << input;
    EXPECT_EQ(Compact(input), Whole(input)) << input;
    EXPECT_EQ(Compact(input + "get next\r\n"), Compact(input)) << input;
    for (size_t size = 0; size < input.size(); ++size) {
      EXPECT_EQ(Compact(input.substr(0, size)), "") << input << size;
    }
  }
}

TEST(CompactMemcached, LeavesEverythingElseToTheParser) {
  const std::string long_key(251, 'k');
  for (const std::string& input : {std::string("get a b\r\n"),
                                   std::string("get key\n"),
                                   std::string("get  key\r\n"),
                                   std::string("get key \r\n"),
                                   std::string("get AmazonElastiCache:cluster\r\n"),
                                   "get " + long_key + "\r\n",
                                   std::string("get \r\n\r\n\r\n"),
                                   std::string("GET key\r\n"),
                                   std::string("set key -1 0 1\r\na\r\n"),
                                   std::string("set key 0 0 1\r\nab\r\n"),
                                   std::string("set key 0 -1 1\r\na\r\n"),
                                   std::string("set key 1234567890 0 1\r\na\r\n"),
                                   std::string("set key 0 0 1 silent\r\na\r\n"),
                                   std::string("mg key vv\r\n"),
                                   std::string("mg key v v\r\n"),
                                   std::string("mg key N30 v\r\n"),
                                   std::string("mg\r\n\r\n"),
                                   std::string("mg key b\r\n"),
                                   std::string("ms key 1 T\r\na\r\n"),
                                   std::string("ms key 1 T1x\r\na\r\n"),
                                   std::string("ms key 1 I\r\na\r\n"),
                                   std::string("ms key S1\r\na\r\n"),
                                   std::string("md key\r\n"),
                                   std::string("mn\r\n\r\n")}) {
    EXPECT_EQ(Compact(input), "") << input;
  }
}

// Whatever it accepts, the parser accepts with the same result.
TEST(CompactMemcached, AgreesWithTheParserOnDamagedRequests) {
  std::mt19937 random(11);
  const auto below = [&](size_t limit) { return random() % limit; };
  const std::string_view bytes(
      " \r\n\0"
      "019kvqTFSg-\x80\xff",
      17);
  int accepted = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string input = kUsual[below(kUsual.size())] + "get next\r\n";
    for (size_t damage = below(3); damage > 0; --damage) {
      const size_t at = below(input.size());
      switch (below(3)) {
        case 0:
          input[at] = bytes[below(bytes.size())];
          break;
        case 1:
          input.erase(at, 1);
          break;
        default:
          input.insert(at, 1, bytes[below(bytes.size())]);
      }
    }
    const std::string compact = Compact(input);
    if (compact.empty()) continue;
    ++accepted;
    ASSERT_EQ(compact, Whole(input)) << input;
  }
  EXPECT_GT(accepted, 10'000);
}

TEST(CompactMemcached, AValueOverTheLimitIsRefusedByTheParser) {
  MemcachedParser parser({.item_size_max = 1024, .protocol = MemcachedProtocol::kAscii});
  const std::string input = "set key 0 0 2000\r\n" + std::string(2000, 'v') + "\r\n";
  MemcachedRequest request;
  size_t consumed = 0;
  ASSERT_EQ(parser.Parse(input, &request, &consumed), MemcachedParseStatus::kComplete);
  EXPECT_EQ(request.command, MemcachedCommand::kTooLarge);
}

}  // namespace
}  // namespace mikura::wire
