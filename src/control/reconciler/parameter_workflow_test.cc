// SPDX-License-Identifier: Apache-2.0
// Parameter groups reach running nodes, or their next start.
#include "control/metadata/metadata_keys.h"
#include "control/model/cache_parameter_group.h"
#include "control/model/node_parameters.h"
#include "control/reconciler/reconciler_fixture.h"

namespace mikura::control {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ParameterGroups : public ReconcilerFixture {
 protected:
  ParameterGroups() {
    group_.name = "mine";
    group_.account = "000000000000";
    group_.region = "ap-northeast-1";
    group_.family = "redis7";
    Save("v1");
  }
  void Save(const std::string& version) {
    group_.version = version;
    const std::string key = ParameterGroupKey(group_.account, group_.region, group_.name);
    ASSERT_TRUE(store_.Transact({}, {Write::Put(key, ToJson(group_))})->has_value());
  }
  void Set(const std::string& name, const std::string& value) {
    ASSERT_TRUE(SetParameterValue(group_, name, value).ok());
    Save(group_.version + "+");
  }
  // The cluster gets the group, as if it had been created with it.
  void CreateWithGroup(const std::string& id) {
    CreateCluster(id, "redis", 1);
    CacheCluster cluster = Cluster(id);
    cluster.parameter_group = group_.name;
    const std::string key = CacheClusterKey(cluster.account, cluster.region, id);
    ASSERT_TRUE(store_.Transact({}, {Write::Put(key, ToJson(cluster))})->has_value());
    Settle();
  }
  NodeParameters Noted(const std::string& node) {
    const auto kv = store_.Get(NodeParametersKey(node));
    return kv.ok() && *kv ? *NodeParametersFromJson((*kv)->value) : NodeParameters();
  }
  const std::string& SettingOf(const std::string& node, const std::string& name) {
    return host_.node(node).settings[name];
  }

  CacheParameterGroup group_;
};

TEST_F(ParameterGroups, ANodeStartsWithTheSettingsOfItsGroup) {
  Set("maxmemory-policy", "allkeys-lru");
  Set("databases", "4");
  CreateWithGroup("c");
  const FakeNode& node = host_.node(Node("c"));
  EXPECT_EQ(node.launch.settings.at("maxmemory-policy"), "allkeys-lru");
  EXPECT_EQ(node.launch.settings.at("databases"), "4");
  EXPECT_EQ(node.configured, 0);
  EXPECT_EQ(Noted(Node("c")).version, group_.version);
  EXPECT_THAT(Noted(Node("c")).pending, IsEmpty());
}

TEST_F(ParameterGroups, AnImmediateParameterReachesARunningNode) {
  CreateWithGroup("c");
  Set("timeout", "30");
  Settle();
  EXPECT_EQ(SettingOf(Node("c"), "timeout"), "30");
  EXPECT_EQ(host_.node(Node("c")).run, 1);
  EXPECT_EQ(Noted(Node("c")).version, group_.version);
}

TEST_F(ParameterGroups, OneThatNeedsAStartWaitsForIt) {
  CreateWithGroup("c");
  Set("databases", "4");
  Settle();
  EXPECT_EQ(SettingOf(Node("c"), "databases"), "16");
  EXPECT_THAT(Noted(Node("c")).pending, ElementsAre("databases"));
  host_.Kill(Node("c"));
  Settle();
  EXPECT_EQ(SettingOf(Node("c"), "databases"), "4");
  EXPECT_THAT(Noted(Node("c")).pending, IsEmpty());
}

TEST_F(ParameterGroups, ANodeThatDidNotAnswerGetsTheChangeLater) {
  CreateWithGroup("c");
  host_.node(Node("c")).answering = false;
  Set("timeout", "30");
  for (int i = 0; i < 5; ++i) Step();
  EXPECT_NE(Noted(Node("c")).version, group_.version);
  host_.node(Node("c")).answering = true;
  Settle();
  EXPECT_EQ(SettingOf(Node("c"), "timeout"), "30");
  EXPECT_EQ(Noted(Node("c")).version, group_.version);
}

TEST_F(ParameterGroups, TheReserveLowersTheMemoryLimitOfARunningNode) {
  CreateWithGroup("c");
  EXPECT_EQ(SettingOf(Node("c"), "maxmemory"), "402653184");
  Set("reserved-memory-percent", "50");
  Settle();
  EXPECT_EQ(SettingOf(Node("c"), "maxmemory"), "268435456");
}

TEST_F(ParameterGroups, ANewProcessOfTheServiceChangesNothingThatIsRight) {
  CreateWithGroup("c");
  const int transactions = store_.transactions();
  Restart();
  Settle();
  EXPECT_EQ(host_.node(Node("c")).configured, 0);
  EXPECT_EQ(store_.transactions(), transactions);
}

TEST_F(ParameterGroups, WhatWasChangedBehindTheServiceIsSetRightByTheNextOne) {
  CreateWithGroup("c");
  host_.node(Node("c")).settings["timeout"] = "77";
  Restart();
  Settle();
  EXPECT_EQ(SettingOf(Node("c"), "timeout"), "0");
}

TEST_F(ParameterGroups, AKillAtAnyMomentOfAChangeLosesNothing) {
  CreateWithGroup("c");
  for (int effects = 0; effects < 6; ++effects) {
    crash_.CrashBefore(1 + effects);  // the first is the user's own change
    Set("timeout", std::to_string(30 + effects));
    for (int i = 0; i < 5; ++i) Step();
    crash_.Never();
    Restart();
    Settle();
    EXPECT_EQ(SettingOf(Node("c"), "timeout"), std::to_string(30 + effects));
    EXPECT_EQ(Noted(Node("c")).version, group_.version) << effects;
  }
  EXPECT_EQ(host_.node(Node("c")).run, 1);
}

TEST_F(ParameterGroups, AClusterThatTakesAnotherGroupFollowsThat) {
  CreateWithGroup("c");
  CacheCluster cluster = Cluster("c");
  cluster.parameter_group = "default.redis7";
  Set("timeout", "30");
  Settle();
  const std::string key = CacheClusterKey(cluster.account, cluster.region, "c");
  ASSERT_TRUE(store_.Transact({}, {Write::Put(key, ToJson(cluster))})->has_value());
  Settle();
  EXPECT_EQ(SettingOf(Node("c"), "timeout"), "0");
  EXPECT_EQ(Noted(Node("c")).group, "default.redis7");
}

TEST_F(ParameterGroups, EveryMemberOfAGroupFollows) {
  CreateGroup("demo", 2);
  Settle();
  for (const char* id : {"demo-001", "demo-002"}) {
    EXPECT_EQ(SettingOf(Node(id), "maxmemory-policy"), "volatile-lru") << id;
    EXPECT_EQ(Noted(Node(id)).group, "default.redis7") << id;
  }
}

TEST_F(ParameterGroups, AScaleShrinksTheMemoryOfANode) {
  reconciler_->SetMemoryScale(0.5);
  CreateWithGroup("c");
  EXPECT_EQ(SettingOf(Node("c"), "maxmemory"), "201326592");
}

}  // namespace
}  // namespace mikura::control
