// SPDX-License-Identifier: Apache-2.0
#include "control/model/node.h"

#include <gtest/gtest.h>

#include "control/model/event.h"

namespace mikura::control {
namespace {

TEST(NodeSpecs, AreReadBackAsWritten) {
  NodeSpec spec;
  spec.id = "demo-001-1f2e3d4c";
  spec.shard = "demo-1f2e3d4c/0001";
  spec.engine = "redis";
  spec.endpoint = {"127.42.0.1", 6379};
  spec.memory_bytes = 402653184;
  spec.threads = 2;
  const auto read = NodeSpecFromJson(ToJson(spec));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->id, spec.id);
  EXPECT_EQ(read->shard, spec.shard);
  EXPECT_EQ(read->endpoint, spec.endpoint);
  EXPECT_EQ(read->memory_bytes, spec.memory_bytes);
  EXPECT_EQ(read->threads, 2);
}

TEST(NodeStatuses, AreReadBackAsWritten) {
  const auto read = NodeStatusFromJson(ToJson(NodeStatus{"failing", "signal 6", 3, 17}));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->state, "failing");
  EXPECT_EQ(read->detail, "signal 6");
  EXPECT_EQ(read->restarts, 3);
  EXPECT_EQ(read->changed_at, 17);
}

TEST(ShardStates, AreReadBackAsWritten) {
  const ShardState state{4, "b", {"a", "b"}, {"b"}, "a"};
  EXPECT_EQ(*ShardStateFromJson(ToJson(state)), state);
}

TEST(ShardStates, KnowWhoHoldsTheData) {
  const ShardState state{4, "b", {"a", "b"}, {"b"}, ""};
  EXPECT_TRUE(state.IsInSync("b"));
  EXPECT_FALSE(state.IsInSync("a"));
}

TEST(Records, AFieldThatIsMissingKeepsItsDefault) {
  EXPECT_EQ(NodeSpecFromJson("{\"id\":\"a\"}")->threads, 1);
}

TEST(Records, AFieldOfTheWrongTypeIsAnError) {
  const auto read = NodeSpecFromJson("{\"threads\":\"two\"}");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().message, "the stored node spec has an unreadable field threads");
  EXPECT_FALSE(NodeSpecFromJson("{\"endpoint\":{\"port\":\"x\"}}").ok());
}

TEST(Records, TextThatIsNotJsonIsAnError) {
  EXPECT_FALSE(ShardStateFromJson("{").ok());
  EXPECT_FALSE(ShardStateFromJson("[]").ok());
}

TEST(Events, AreReadBackAsWritten) {
  const auto read =
      EventFromJson(ToJson(Event{"0", "r", "cache-cluster", "demo-001", "it \"failed\"", 5}));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->source_type, "cache-cluster");
  EXPECT_EQ(read->message, "it \"failed\"");
  EXPECT_EQ(read->at, 5);
}

TEST(NodeIds, NameTheClusterAndItsIncarnation) {
  EXPECT_EQ(NodeIdOf("demo-001", "0001", true, "1f2e3d4c"), "demo-001-1f2e3d4c");
  EXPECT_EQ(NodeIdOf("mc", "0003", false, "1f2e3d4c"), "mc-0003-1f2e3d4c");
}

}  // namespace
}  // namespace mikura::control
