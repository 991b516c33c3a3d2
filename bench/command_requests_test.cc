// SPDX-License-Identifier: Apache-2.0
#include "bench/command_requests.h"

#include <gtest/gtest.h>

namespace mikura::bench {
namespace {

CommandWriter Writer(std::string_view name) {
  return CommandWriter(*FindCommandForm(name), {.key_bytes = 16, .value_bytes = 3, .elements = 2});
}

std::string RequestText(const CommandWriter& writer, uint64_t key, uint64_t random) {
  std::string out(writer.request_bytes(), '?');
  EXPECT_EQ(writer.Request(key, random, out.data()), out.data() + out.size());
  return out;
}

std::string FillText(const CommandWriter& writer, uint64_t key) {
  std::string out(writer.fill_bytes(), '?');
  EXPECT_EQ(writer.Fill(key, out.data()), out.data() + out.size());
  return out;
}

TEST(CommandWriter, PutsKeyAndElementInTheirPlaces) {
  EXPECT_EQ(RequestText(Writer("hget"), 12, 5),
            "*3\r\n$4\r\nHGET\r\n$16\r\nkey:000000000012\r\n$16\r\nelement:00000001\r\n");
  EXPECT_EQ(RequestText(Writer("lpush"), 7, 0),
            "*3\r\n$5\r\nLPUSH\r\n$16\r\nkey:000000000007\r\n$3\r\nxxx\r\n");
}

TEST(CommandWriter, NamesElementsBeyondThoseFilledWhereNewOnesAreWanted) {
  EXPECT_EQ(RequestText(Writer("sadd"), 0, 3),
            "*3\r\n$4\r\nSADD\r\n$16\r\nkey:000000000000\r\n$16\r\nelement:00000003\r\n");
}

TEST(CommandWriter, FillsAKeyWithEveryElementInOneRequest) {
  EXPECT_EQ(FillText(Writer("sadd"), 4),
            "*4\r\n$4\r\nSADD\r\n$16\r\nkey:000000000004\r\n"
            "$16\r\nelement:00000000\r\n$16\r\nelement:00000001\r\n");
  EXPECT_EQ(FillText(Writer("incr"), 4),
            "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000004\r\n$5\r\n10000\r\n");
}

TEST(CommandWriter, ScoresKeepTheirLengthAndDiffer) {
  const std::string one = RequestText(Writer("zadd"), 0, 1);
  const std::string two = RequestText(Writer("zadd"), 0, 3);
  const size_t at = one.find("$8\r\n") + 4;
  EXPECT_NE(one.substr(at, 8), two.substr(at, 8));
  EXPECT_GE(one[at], '1');
}

TEST(CommandWriter, EveryFormFillsAndAsksOneKey) {
  for (const std::string_view name : CommandFormNames()) {
    const CommandWriter writer = Writer(name);
    EXPECT_NE(RequestText(writer, 987654321, 1).find("key:000987654321"), std::string::npos)
        << name;
    EXPECT_NE(FillText(writer, 987654321).find("key:000987654321"), std::string::npos) << name;
  }
  EXPECT_EQ(FindCommandForm("get"), nullptr);
}

TEST(CommandWriter, HoldsRepliesAgainstTheRightOne) {
  const CommandWriter hget = Writer("hget");
  EXPECT_EQ(hget.ReadReply("$3\r\nxxx\r\n+OK\r\n", false).kind, ReplyKind::kHit);
  EXPECT_EQ(hget.ReadReply("$3\r\nxxx\r\n+OK\r\n", false).bytes, 9u);
  EXPECT_EQ(hget.ReadReply("$-1\r\n", false).kind, ReplyKind::kMiss);
  EXPECT_EQ(hget.ReadReply("$4\r\nxxxx\r\n", false).kind, ReplyKind::kError);
  EXPECT_EQ(hget.ReadReply(":2\r\n", false).kind, ReplyKind::kError);
  EXPECT_EQ(hget.ReadReply(":2\r\n", true).kind, ReplyKind::kHit);
  const Reply error = hget.ReadReply("-OOM full\r\n+OK\r\n", true);
  EXPECT_EQ(error.kind, ReplyKind::kError);
  EXPECT_EQ(error.value, "-OOM full");
  EXPECT_EQ(error.bytes, 11u);
}

TEST(RespReplyBytes, WaitsForEveryByteOfAnArray) {
  const std::string reply = "*3\r\n$2\r\nab\r\n*2\r\n:1\r\n$-1\r\n+x\r\n";
  for (size_t bytes = 0; bytes < reply.size(); ++bytes) {
    EXPECT_EQ(RespReplyBytes(reply.substr(0, bytes)), 0u) << bytes;
  }
  EXPECT_EQ(RespReplyBytes(reply + reply), reply.size());
  EXPECT_EQ(RespReplyBytes("*0\r\n"), 4u);
  EXPECT_EQ(RespReplyBytes("*-1\r\n"), 5u);
}

TEST(RespReplyBytes, RefusesWhatIsNoReply) {
  EXPECT_EQ(RespReplyBytes("STORED\r\n"), std::nullopt);
  EXPECT_EQ(RespReplyBytes("$x\r\n"), std::nullopt);
  EXPECT_EQ(RespReplyBytes("*-2\r\n"), std::nullopt);
}

}  // namespace
}  // namespace mikura::bench
