// SPDX-License-Identifier: Apache-2.0
// What the protocol tests cannot reach: limits, the clock, and what handlers ask of the server. The
// replies themselves are in tests/protocol/.
#include <gtest/gtest.h>

#include <set>

#include "engine/commands/command_test_support.h"

namespace mikura::engine {
namespace {

using std::chrono::milliseconds;

TEST(Commands, AKeyIsGoneAtItsDeadlineAndNotBefore) {
  CommandRunner runner;
  runner.Run("SET k v PX 100");
  runner.clock().Advance(milliseconds(99));
  EXPECT_EQ(runner.Run("GET k"), "$1 v ");
  EXPECT_EQ(runner.Run("PTTL k"), ":1 ");
  runner.clock().Advance(milliseconds(1));
  EXPECT_EQ(runner.Run("GET k"), "$-1 ");
  EXPECT_EQ(runner.Run("RENAME k j"), "-ERR no such key ");
}

TEST(Commands, RandomKeyEndsWhenEveryKeyHasExpired) {
  CommandRunner runner;
  for (int i = 0; i < 50; ++i) runner.Run("SET " + std::to_string(i) + " v PX 1");
  runner.clock().Advance(milliseconds(1));
  EXPECT_EQ(runner.Run("RANDOMKEY"), "$-1 ");
  runner.Run("SET k v");
  EXPECT_EQ(runner.Run("RANDOMKEY"), "$1 k ");
}

TEST(Commands, TtlRoundsToTheNearestSecond) {
  CommandRunner runner;
  runner.Run("SET k v PX 1499");
  EXPECT_EQ(runner.Run("TTL k"), ":1 ");
  runner.Run("SET k v PX 1500");
  EXPECT_EQ(runner.Run("TTL k"), ":2 ");
}

TEST(Commands, NoStringGrowsBeyondTheLimit) {
  CommandRunner runner;
  runner.set_string_bytes_max(10);
  const std::string too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len) ";
  EXPECT_EQ(runner.Run("APPEND k 12345678"), ":8 ");
  EXPECT_EQ(runner.Run("APPEND k 901"), too_long);
  EXPECT_EQ(runner.Run("SETRANGE k 8 901"), too_long);
  EXPECT_EQ(runner.Run("SETRANGE new 9223372036854775807 x"), too_long);
  EXPECT_EQ(runner.Run("APPEND k 90"), ":10 ");
  EXPECT_EQ(runner.Run("EXISTS new"), ":0 ");
}

TEST(Commands, TheTableOfLcsIsBounded) {
  CommandRunner runner;
  runner.set_string_bytes_max(99);
  runner.Run("MSET a 1234 b 1234");
  EXPECT_EQ(runner.Run("LCS a b"),
            "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len ");
  runner.set_string_bytes_max(100);
  EXPECT_EQ(runner.Run("LCS a b"), "$4 1234 ");
}

TEST(Commands, LoginIsKeptInTheClient) {
  CommandRunner runner;
  runner.access().users().SetDefaultPassword("secret");
  runner.client().authenticated = false;
  EXPECT_EQ(runner.Run("HELLO 3"),
            "-NOAUTH HELLO must be called with the client already authenticated, otherwise the "
            "HELLO AUTH <user> <pass> option can be used to authenticate the client and "
            "select the RESP protocol version at the same time ");
  EXPECT_EQ(runner.client().resp_version, 2);
  EXPECT_EQ(runner.Run("AUTH wrong"),
            "-WRONGPASS invalid username-password pair or user is disabled. ");
  EXPECT_FALSE(runner.client().authenticated);
  EXPECT_EQ(runner.Run("AUTH secret"), "+OK ");
  EXPECT_TRUE(runner.client().authenticated);
  EXPECT_EQ(runner.Run("RESET"), "+RESET ");
  EXPECT_FALSE(runner.client().authenticated);
  EXPECT_EQ(runner.Run("HELLO 3 AUTH default secret SETNAME me").substr(0, 3), "%7 ");
  EXPECT_TRUE(runner.client().authenticated);
  EXPECT_EQ(runner.fakes().published.name, "me");
}

TEST(Commands, ClientReplyOffAndSkipAreNotAnswered) {
  CommandRunner runner;
  EXPECT_EQ(runner.Run("CLIENT REPLY SKIP"), "");
  EXPECT_TRUE(runner.client().skip_next_reply);
  EXPECT_EQ(runner.Run("CLIENT REPLY OFF"), "");
  EXPECT_TRUE(runner.client().replies_off);
  EXPECT_EQ(runner.Run("CLIENT REPLY ON"), "+OK ");
  EXPECT_FALSE(runner.client().replies_off);
}

TEST(Commands, AClientThatKillsItselfGetsItsReplyFirst) {
  CommandRunner runner;
  runner.client().address = "1.2.3.4:5";
  EXPECT_EQ(runner.Run("CLIENT KILL ID 7"), ":0 ");
  EXPECT_FALSE(runner.client().close_after_reply);
  EXPECT_EQ(runner.Run("CLIENT KILL ID 7 SKIPME no"), ":1 ");
  EXPECT_TRUE(runner.client().close_after_reply);
  EXPECT_EQ(*runner.fakes().last_kill.skip_id, 7u);
  EXPECT_EQ(runner.Run("CLIENT KILL 1.2.3.4:5"), "+OK ");
}

TEST(Commands, ReplicaofAsksTheServer) {
  CommandRunner runner;
  EXPECT_EQ(runner.Run("REPLICAOF host 6379"), "+OK ");
  EXPECT_EQ(runner.fakes().replica_of, "host:6379");
  EXPECT_EQ(runner.Run("SLAVEOF no one"), "+OK ");
  EXPECT_EQ(runner.fakes().replica_of, ":0");
}

TEST(Commands, RoleShowsReplicasOrThePrimary) {
  CommandRunner runner;
  runner.fakes().role.offset = 5;
  runner.fakes().role.replicas.push_back({"h", 6, 4});
  EXPECT_EQ(runner.Run("ROLE"), "*3 $6 master :5 *1 *3 $1 h $1 6 $1 4 ");
  runner.fakes().role = {.is_primary = false,
                         .offset = 9,
                         .replicas = {},
                         .primary_host = "p",
                         .primary_port = 1,
                         .link_state = "connected"};
  EXPECT_EQ(runner.Run("ROLE"), "*5 $5 slave $1 p :1 $9 connected :9 ");
}

TEST(Commands, ShutdownIsNotAnsweredWhenItSucceeds) {
  CommandRunner runner;
  EXPECT_EQ(runner.Run("SHUTDOWN SAVE NOSAVE"), "-ERR syntax error ");
  EXPECT_EQ(runner.Run("SHUTDOWN ABORT"), "-ERR No shutdown in progress. ");
  EXPECT_FALSE(runner.fakes().is_stopped);
  EXPECT_EQ(runner.Run("SHUTDOWN NOSAVE NOW"), "");
  EXPECT_TRUE(runner.fakes().is_stopped);
  EXPECT_TRUE(runner.client().close_after_reply);
}

TEST(Commands, DebugIsRefusedUnlessAllowed) {
  CommandRunner runner;
  runner.fakes().debug_allowed = false;
  EXPECT_EQ(runner.Run("DEBUG SLEEP 0").substr(0, 30), "-ERR DEBUG command not allowed");
}

TEST(Commands, AScanSeesEveryKeyThatStaysWhileOthersComeAndGo) {
  CommandRunner runner;
  for (int i = 0; i < 2000; ++i) runner.Run("SET stays:" + std::to_string(i) + " v");
  std::set<std::string> seen;
  std::string cursor = "0";
  int round = 0;
  do {
    for (int i = 0; i < 20; ++i) runner.Run("SET comes:" + std::to_string(20 * round + i) + " v");
    if (round > 0) runner.Run("DEL comes:" + std::to_string(20 * round - 7));
    ++round;
    // "*2 $n cursor *m $n name $n name ..."
    std::string reply = runner.Run("SCAN " + cursor + " COUNT 50");
    std::vector<std::string> words;
    for (size_t at = 0; at < reply.size();) {
      const size_t end = reply.find(' ', at);
      words.push_back(reply.substr(at, end - at));
      at = end + 1;
    }
    cursor = words[2];
    for (size_t i = 5; i < words.size(); i += 2) seen.insert(words[i]);
  } while (cursor != "0");
  for (int i = 0; i < 2000; ++i) EXPECT_TRUE(seen.contains("stays:" + std::to_string(i))) << i;
}

TEST(Commands, AScanWithAStrangeCursorEnds) {
  CommandRunner runner;
  for (int i = 0; i < 100; ++i) runner.Run("SET " + std::to_string(i) + " v");
  for (const std::string_view cursor :
       {"18446744073709551615", "18446744073709551614", "4398046511104", "1023", "1"}) {
    EXPECT_EQ(runner.Run("SCAN " + std::string(cursor) + " COUNT 100000").substr(0, 8), "*2 $1 0 ")
        << cursor;
  }
}

}  // namespace
}  // namespace mikura::engine
