// SPDX-License-Identifier: Apache-2.0
#include "control/agent/engine_state.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

TEST(ReplicationInfo, OfAPrimaryTellsItsOffset) {
  const EngineState state = ParseReplicationInfo(
      "# Replication\r\nrole:master\r\nconnected_slaves:1\r\nmaster_repl_offset:1234\r\n");
  EXPECT_TRUE(state.is_primary);
  EXPECT_EQ(state.offset, 1234);
  EXPECT_FALSE(state.link_up);
}

TEST(ReplicationInfo, OfAReplicaTellsWhomItFollowsAndHowFar) {
  const EngineState state = ParseReplicationInfo(
      "role:slave\r\nmaster_host:127.42.0.3\r\nmaster_port:6379\r\nmaster_link_status:up\r\n"
      "master_sync_in_progress:0\r\nslave_repl_offset:99\r\nmaster_repl_offset:98\r\n");
  EXPECT_FALSE(state.is_primary);
  EXPECT_EQ(state.follows, (Endpoint{"127.42.0.3", 6379}));
  EXPECT_TRUE(state.link_up);
  EXPECT_EQ(state.offset, 99);
}

TEST(ReplicationInfo, AReplicaThatTakesOverACopyIsNotUp) {
  const EngineState state =
      ParseReplicationInfo("role:slave\nmaster_link_status:up\nmaster_sync_in_progress:1\n");
  EXPECT_FALSE(state.link_up);
  EXPECT_TRUE(state.loading);
}

TEST(ReplicationInfo, OfNothingIsAReplicaThatIsNotUp) {
  const EngineState state = ParseReplicationInfo("");
  EXPECT_FALSE(state.is_primary);
  EXPECT_FALSE(state.link_up);
}

TEST(UsedMemory, IsTheLineOfThatVeryName) {
  EXPECT_EQ(ParseUsedMemory("# Memory\r\nused_memory_rss:7\r\nused_memory:1024\r\nx:1\r\n"), 1024);
  EXPECT_EQ(ParseUsedMemory("# Memory\r\nused_memory_human:1K\r\n"), std::nullopt);
}

}  // namespace
}  // namespace mikura::control
