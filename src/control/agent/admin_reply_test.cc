// SPDX-License-Identifier: Apache-2.0
#include "control/agent/admin_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mikura::control {
namespace {

using ::testing::ElementsAre;

AdminReply Parsed(std::string_view bytes) {
  AdminReply reply;
  EXPECT_EQ(ParseAdminReply(bytes, reply), ReplyProgress::kComplete) << bytes;
  return reply;
}

TEST(AdminReplies, OfEachKindAreRead) {
  EXPECT_EQ(Parsed("+PONG\r\n").text, "PONG");
  EXPECT_EQ(Parsed(":17\r\n").text, "17");
  EXPECT_EQ(Parsed("$3\r\na\r\n\r\n").text, "a\r\n");
  EXPECT_EQ(Parsed("$-1\r\n").text, "");
  EXPECT_EQ(Parsed("-STALEEPOCH 3\r\n").kind, AdminReply::Kind::kError);
  EXPECT_THAT(Parsed("*2\r\n$1\r\na\r\n*2\r\n:1\r\n+b\r\n").items, ElementsAre("a", "1", "b"));
}

TEST(AdminReplies, EveryPartOfAReplyIsIncomplete) {
  const std::string whole = "*3\r\n$5\r\nhello\r\n:12\r\n+ok\r\n";
  for (size_t length = 0; length < whole.size(); ++length) {
    AdminReply reply;
    EXPECT_EQ(ParseAdminReply(whole.substr(0, length), reply), ReplyProgress::kIncomplete)
        << length;
  }
  EXPECT_EQ(Parsed(whole).items.size(), 3u);
}

TEST(AdminReplies, OtherBytesAreMalformed) {
  for (const char* bytes : {"hello\r\n", "\r\n", "$x\r\n", "$-2\r\n", "$1\r\nabc\r\n", "*-5\r\n",
                            "*99999999\r\n", "$99999999999\r\n"}) {
    AdminReply reply;
    EXPECT_EQ(ParseAdminReply(bytes, reply), ReplyProgress::kMalformed) << bytes;
  }
}

TEST(AdminRequests, AreArraysOfBulkStrings) {
  EXPECT_EQ(EncodeAdminRequest({"MIKURA", "NODE"}), "*2\r\n$6\r\nMIKURA\r\n$4\r\nNODE\r\n");
}

}  // namespace
}  // namespace mikura::control
