// SPDX-License-Identifier: Apache-2.0
#include "control/agent/log_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mikura::control {
namespace {

using ::testing::HasSubstr;

LogTarget Target(bool as_json) {
  LogTarget target;
  target.cluster_id = "demo-001";
  target.cache_node_id = "0001";
  target.as_json = as_json;
  return target;
}

AdminReply Parsed(const std::string& bytes) {
  AdminReply reply;
  EXPECT_EQ(ParseAdminReply(bytes, reply), ReplyProgress::kComplete);
  return reply;
}

std::string Bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

// The answer to SLOWLOG GET with one entry.
std::string Answer(const std::vector<std::string>& words) {
  std::string bytes = "*1\r\n*6\r\n:296\r\n:1605631822\r\n:30\r\n*" + std::to_string(words.size());
  bytes += "\r\n";
  for (const std::string& word : words) bytes += Bulk(word);
  return bytes + Bulk("192.168.12.104:55452") + Bulk("me");
}

std::string CommandOf(const std::vector<std::string>& words) {
  return ParseSlowLog(Parsed(Answer(words)))->front().command;
}

TEST(SlowLogLines, AnEntryHasTheFieldsOfElastiCache) {
  const auto entries = ParseSlowLog(Parsed(Answer({"GET", "secret"})));
  ASSERT_TRUE(entries.ok());
  EXPECT_EQ(SlowLogLine(Target(true), entries->front()),
            "{\"CacheClusterId\":\"demo-001\",\"CacheNodeId\":\"0001\",\"Id\":296,"
            "\"Timestamp\":1605631822,\"Duration (us)\":30,"
            "\"Command\":\"GET ... (1 more arguments)\","
            "\"ClientAddress\":\"192.168.12.104:55452\",\"ClientName\":\"me\"}\n");
  EXPECT_EQ(SlowLogLine(Target(false), entries->front()),
            "demo-001,0001,1605631822,30,GET ... (1 more arguments),192.168.12.104:55452,me\n");
}

TEST(SlowLogLines, ArgumentsAreCountedAndNotShown) {
  EXPECT_EQ(CommandOf({"KEYS"}), "KEYS");
  EXPECT_EQ(CommandOf({"set", "foo", "bar"}), "set ... (2 more arguments)");
  std::vector<std::string> many(31, "a");
  many[0] = "MSET";
  many.emplace_back("... (70 more arguments)");
  EXPECT_EQ(CommandOf(many), "MSET ... (100 more arguments)");
  EXPECT_EQ(CommandOf({"ECHO", "... (70 more arguments)"}), "ECHO ... (1 more arguments)");
}

TEST(SlowLogLines, NothingBreaksALine) {
  SlowLogEntry entry;
  entry.command = "a\nb\"\\";
  entry.client_name = "\xc3\xa9";
  EXPECT_THAT(SlowLogLine(Target(true), entry), HasSubstr("\"Command\":\"a\\\\x0ab\\\"\\\\\""));
  EXPECT_THAT(SlowLogLine(Target(false), entry), HasSubstr(",a\\x0ab\"\\,,\\xc3\\xa9\n"));
}

TEST(SlowLogLines, AnotherAnswerIsAnError) {
  EXPECT_FALSE(ParseSlowLog(Parsed("+OK\r\n")).ok());
  EXPECT_FALSE(ParseSlowLog(Parsed("*1\r\n*2\r\n:1\r\n:2\r\n")).ok());
  EXPECT_TRUE(ParseSlowLog(Parsed("*0\r\n"))->empty());
}

TEST(EngineLogLines, ALineHasTheFieldsOfElastiCache) {
  const std::string line = "2020-11-12T01:28:57.994Z info replication: waits for \"x\"";
  EXPECT_EQ(EngineLogLine(Target(true), 'M', line, ""),
            "{\"CacheClusterId\":\"demo-001\",\"CacheNodeId\":\"0001\",\"LogLevel\":\"NOTICE\","
            "\"Role\":\"M\",\"Time\":\"12 Nov 2020 01:28:57.994 UTC\","
            "\"Message\":\"replication: waits for \\\"x\\\"\"}\n");
  EXPECT_EQ(
      EngineLogLine(Target(false), 'S', "2020-10-29T20:12:20.499Z error script: too slow", ""),
      "demo-001/0001:S 29 Oct 2020 20:12:20.499 UTC # script: too slow\n");
}

TEST(EngineLogLines, WhatIsNoLineOfOursIsAMessage) {
  const std::string now = "2026-01-02T03:04:05.678Z";
  EXPECT_EQ(EngineLogLine(Target(false), 'M', "==1== ERROR: AddressSanitizer", now),
            "demo-001/0001:M 02 Jan 2026 03:04:05.678 UTC # ==1== ERROR: AddressSanitizer\n");
  EXPECT_THAT(EngineLogLine(Target(false), 'M', "2026-01-02T03:04:05.678Z other words", now),
              HasSubstr("# 2026-01-02T03:04:05.678Z other words"));
  EXPECT_THAT(EngineLogLine(Target(false), 'M', "", now), HasSubstr(" UTC # \n"));
}

}  // namespace
}  // namespace mikura::control
