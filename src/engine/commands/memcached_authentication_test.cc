// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engine/commands/memcached_test_support.h"
#include "wire/memcached_binary_test_support.h"

namespace mikura::engine {
namespace {

using namespace std::string_literals;
using wire::BinaryPacket;
using wire::DescribeReplies;

class MemcachedAuthentication : public testing::Test {
 public:
  std::string Ask(std::initializer_list<BinaryPacket> packets) {
    std::string bytes;
    for (const BinaryPacket& packet : packets) bytes += packet.Bytes();
    return DescribeReplies(memcached.Run(bytes));
  }
  static BinaryPacket Sasl(const std::string& message, uint8_t opcode = 0x21,
                           const std::string& mechanism = "PLAIN") {
    return {.opcode = opcode, .key = mechanism, .value = message};
  }

  CommandRunner redis;
  MemcachedRunner memcached{redis, {.must_authenticate = true}};
  const std::string right = "\0ann\0secret"s;
  const std::string wrong = "\0ann\0guess"s;
  const std::string failed = "21 20 [] |Auth failure.\n";
  const std::string done = "21 00 [] |Authenticated\n";
};

TEST_F(MemcachedAuthentication, ListsTheMechanism) {
  EXPECT_EQ(Ask({{.opcode = 0x20}}), "20 00 [] |PLAIN\n");
}

TEST_F(MemcachedAuthentication, OpensTheConnectionToTheRightPassword) {
  EXPECT_EQ(Ask({Sasl(wrong), Sasl(right), {.opcode = 0, .key = "a"}}),
            failed + done + "00 01 [] |Not found\n");
  EXPECT_EQ(memcached.counters().auth_cmds.Get(), 2u);
  EXPECT_EQ(memcached.counters().auth_errors.Get(), 1u);
}

TEST_F(MemcachedAuthentication, EndsTheConnectionOfAClientThatDidNot) {
  EXPECT_EQ(Ask({Sasl(wrong), {.opcode = 0x0a}, {.opcode = 0x0a}}),
            failed + "0a 20 [] |Auth failure.\n");
  EXPECT_TRUE(memcached.close_after_reply());
}

TEST_F(MemcachedAuthentication, AFailedAttemptTakesAwayWhatTheOneBeforeGave) {
  EXPECT_EQ(Ask({Sasl(right), Sasl(wrong), {.opcode = 0x0a}}),
            done + failed + "0a 20 [] |Auth failure.\n");
}

TEST_F(MemcachedAuthentication, TakesTheMessageInASecondStep) {
  EXPECT_EQ(Ask({Sasl(""), Sasl(right, 0x22), {.opcode = 0x0a}}),
            "21 21 [] |\n22 00 [] |Authenticated\n0a 00 [] |\n");
}

TEST_F(MemcachedAuthentication, TakesNoSecondStepWithoutTheFirst) {
  EXPECT_EQ(Ask({Sasl(right, 0x22)}), "22 20 [] |Auth failure.\n");
  EXPECT_EQ(Ask({Sasl(""), Sasl(wrong, 0x22), Sasl(right, 0x22)}),
            "21 21 [] |\n22 20 [] |Auth failure.\n22 20 [] |Auth failure.\n");
}

TEST_F(MemcachedAuthentication, KnowsPlainOnly) {
  EXPECT_EQ(Ask({Sasl(right, 0x21, "CRAM-MD5"), Sasl(right, 0x21, "PLAI"), Sasl("ann"),
                 Sasl("bob\0ann\0secret"s)}),
            failed + failed + failed + failed);
  EXPECT_EQ(Ask({Sasl(right, 0x21, "plain")}), done);
}

TEST_F(MemcachedAuthentication, ATextClientBeginsWithASet) {
  EXPECT_EQ(memcached.Run("get a\r\n"), "CLIENT_ERROR unauthenticated\r\n");
  EXPECT_EQ(memcached.Run("set x 0 0 9\r\nann guess\r\n"),
            "CLIENT_ERROR authentication failure\r\n");
  EXPECT_EQ(memcached.Run("set x 0 0 3\r\nann\r\n"),
            "CLIENT_ERROR bad authentication token format\r\n");
  EXPECT_EQ(memcached.Run("set x 0 0 10\r\nann secret\r\nget x\r\nset x 0 0 1\r\ny\r\nget x\r\n"),
            "STORED\r\nEND\r\nSTORED\r\nVALUE x 0 1\r\ny\r\nEND\r\n");
}

}  // namespace
}  // namespace mikura::engine
