// SPDX-License-Identifier: Apache-2.0
#include "wire/memcached_login.h"

#include <gtest/gtest.h>

#include <string>

#include "wire/memcached_parser.h"

namespace mikura::wire {
namespace {

using namespace std::string_view_literals;

class Login {
 public:
  explicit Login(std::string_view input) : parse(ParseMemcachedLogin(input, &request)) {}
  MemcachedRequest request;
  MemcachedParse parse;
};

std::string Refusal(std::string_view input) {
  Login login(input);
  EXPECT_EQ(login.parse.status, MemcachedParseStatus::kComplete);
  EXPECT_EQ(login.request.command, MemcachedCommand::kReply);
  return std::string(login.request.reply);
}

constexpr std::string_view kUnauthenticated = "CLIENT_ERROR unauthenticated\r\n";

TEST(MemcachedLogin, TakesASetWhateverItsKeyAndFlagsAre) {
  for (const std::string_view line : {"set x 0 0 8"sv, "  set x a b 8 noreply"sv}) {
    const std::string input = std::string(line) + "\r\nann pass\r\nget a\r\n";
    Login login(input);
    EXPECT_EQ(login.parse.status, MemcachedParseStatus::kComplete);
    EXPECT_EQ(login.request.command, MemcachedCommand::kAuthenticate);
    EXPECT_EQ(login.request.data, "ann pass");
    EXPECT_EQ(login.parse.consumed, line.size() + 2 + 10);
  }
}

TEST(MemcachedLogin, RefusesEverythingElse) {
  for (const std::string_view input :
       {"get a\r\n"sv, "add x 0 0 1\r\n"sv, "SET x 0 0 1\r\n"sv, "set x 0 0\r\n"sv, "\r\n"sv,
        "set x 0 0 abc\r\n"sv, "set x 0 0 -1\r\n"sv, "mn\r\n"sv, "quit\r\n"sv, "\x80\x0a\r\n"sv,
        "set x\0 0 0 1\r\n"sv, "set x 0 0 12abc\r\n"sv}) {
    EXPECT_EQ(Refusal(input), kUnauthenticated) << input;
  }
  EXPECT_EQ(Refusal("set x 0 0 3\r\nann pass\r\n"),
            "CLIENT_ERROR bad command line termination\r\n");
}

TEST(MemcachedLogin, HoldsLittleOfWhatAnUnknownClientSends) {
  EXPECT_EQ(Login(std::string(2048, 'x')).parse.status, MemcachedParseStatus::kNeedMore);
  EXPECT_EQ(Login(std::string(2049, 'x')).parse.status, MemcachedParseStatus::kClose);
  // memcached 1.6.18 crashes on such a length.
  EXPECT_EQ(Login("set x 0 0 4000000000\r\n").parse.status, MemcachedParseStatus::kClose);
  EXPECT_EQ(Login("set x 0 0 16384\r\n").parse.wanted, 17u + 16384 + 2);
}

TEST(MemcachedLogin, WaitsForEveryByteItNeeds) {
  const std::string_view input = "set x 0 0 8\r\nann pass\r\n";
  for (size_t size = 0; size < input.size(); ++size) {
    Login login(input.substr(0, size));
    ASSERT_EQ(login.parse.status, MemcachedParseStatus::kNeedMore) << size;
    ASSERT_GT(login.parse.wanted, size);
  }
}

TEST(MemcachedLogin, SplitsUserAndPasswordAtBlanks) {
  EXPECT_EQ(SplitMemcachedLogin("  ann  secret more").user, "ann");
  EXPECT_EQ(SplitMemcachedLogin("  ann  secret more").password, "secret");
  EXPECT_EQ(SplitMemcachedLogin("ann secret\0x"sv).password, "secret");
  EXPECT_EQ(SplitMemcachedLogin("ann").user, "");
  EXPECT_EQ(SplitMemcachedLogin("").user, "");
}

TEST(MemcachedLogin, SplitsAMessageOfPlain) {
  EXPECT_EQ(SplitSaslPlain("\0ann\0secret"sv).user, "ann");
  EXPECT_EQ(SplitSaslPlain("\0ann\0secret"sv).password, "secret");
  EXPECT_EQ(SplitSaslPlain("ann\0ann\0secret"sv).user, "ann");
  for (const std::string_view bad : {"bob\0ann\0secret"sv, "ann"sv, "\0ann"sv, ""sv, "\0"sv,
                                     "\0ann\0secret\0"sv, "\0ann\0sec\0ret"sv, "\0\0secret"sv}) {
    EXPECT_EQ(SplitSaslPlain(bad).user, "") << bad;
  }
}

TEST(MemcachedParser, OpensATextConnectionAfterTheLoginOnly) {
  MemcachedParser parser({.must_authenticate = true});
  MemcachedRequest request;
  size_t consumed = 0;
  parser.Parse("get a\r\n", &request, &consumed);
  EXPECT_EQ(request.reply, kUnauthenticated);
  parser.Parse("set x 0 0 1\r\nx\r\n", &request, &consumed);
  EXPECT_EQ(request.command, MemcachedCommand::kAuthenticate);
  parser.set_authenticated(true);
  parser.Parse("get a\r\n", &request, &consumed);
  EXPECT_EQ(request.command, MemcachedCommand::kGet);
}

}  // namespace
}  // namespace mikura::wire
