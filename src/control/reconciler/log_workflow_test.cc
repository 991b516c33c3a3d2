// SPDX-License-Identifier: Apache-2.0
// Logs of groups and clusters are delivered as their records say.
#include "control/reconciler/reconciler_fixture.h"

namespace mikura::control {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Logs : public ReconcilerFixture {
 protected:
  static LogDelivery Slow(std::string_view status = kLogEnabling) {
    return {"slow-log", "g", "json", std::string(status), ""};
  }
  void Deliver(const std::string& group) {
    ChangeGroup(group, [](ReplicationGroup& record) {
      record.log_deliveries = {Slow()};
      record.status = kStatusModifying;
    });
  }
  std::string StatusOf(const std::string& group) {
    const auto deliveries = Group(group).log_deliveries;
    return deliveries.empty() ? "none" : deliveries.front().status;
  }
};

TEST_F(Logs, EveryNodeOfAGroupIsToldWhereItsLogGoes) {
  CreateGroup("demo", 2);
  Settle();
  Deliver("demo");
  Settle();
  EXPECT_EQ(StatusOf("demo"), kLogActive);
  EXPECT_EQ(Group("demo").status, kStatusAvailable);
  ASSERT_THAT(host_.LogsOf(Node("demo-002")), SizeIs(1));
  EXPECT_EQ(host_.LogsOf(Node("demo-002")).front().stream,
            "000000000000/ap-northeast-1/g/elasticache/redis/demo-002/0001/slow-log");
}

TEST_F(Logs, AGroupIsModifyingUntilItsNodesDeliver) {
  CreateGroup("demo", 2);
  Settle();
  host_.HoldLogs(true);
  Deliver("demo");
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Step());
  EXPECT_EQ(StatusOf("demo"), kLogEnabling);
  EXPECT_EQ(Group("demo").status, kStatusModifying);
  Restart();
  host_.HoldLogs(false);
  Settle();
  EXPECT_EQ(StatusOf("demo"), kLogActive);
  EXPECT_EQ(Group("demo").status, kStatusAvailable);
}

TEST_F(Logs, WhatCannotBeDeliveredIsAnErrorUntilItCan) {
  CreateGroup("demo", 2);
  Settle();
  host_.FailLogs("no space left");
  Deliver("demo");
  Settle();
  EXPECT_EQ(StatusOf("demo"), kLogError);
  EXPECT_THAT(Group("demo").log_deliveries.front().message, HasSubstr("no space left"));
  EXPECT_EQ(Group("demo").status, kStatusAvailable);
  host_.FailLogs("");
  Step();
  EXPECT_EQ(StatusOf("demo"), kLogActive);
}

TEST_F(Logs, OneThatIsDisabledEnds) {
  CreateGroup("demo", 2);
  Settle();
  Deliver("demo");
  Settle();
  ChangeGroup("demo", [](ReplicationGroup& group) {
    group.log_deliveries = {Slow(kLogDisabling)};
    group.status = kStatusModifying;
  });
  Settle();
  EXPECT_EQ(StatusOf("demo"), "none");
  EXPECT_THAT(host_.LogsOf(Node("demo-001")), IsEmpty());
  EXPECT_EQ(Group("demo").status, kStatusAvailable);
}

TEST_F(Logs, AReplicaThatJoinsDeliversToo) {
  CreateGroup("demo", 2);
  Settle();
  Deliver("demo");
  Settle();
  AddMember("demo", "demo-003");
  Settle();
  EXPECT_THAT(host_.LogsOf(Node("demo-003")), SizeIs(1));
}

TEST_F(Logs, AClusterThatStandsAloneHasItsOwn) {
  CreateCluster("c", "valkey", 1);
  Settle();
  ChangeCluster("c", [](CacheCluster& cluster) { cluster.log_deliveries = {Slow()}; });
  Settle();
  EXPECT_EQ(Cluster("c").log_deliveries.front().status, kLogActive);
  ASSERT_THAT(host_.LogsOf(Node("c")), SizeIs(1));
  EXPECT_THAT(host_.LogsOf(Node("c")).front().stream, HasSubstr("/elasticache/valkey/c/0001/"));
}

TEST_F(Logs, DeliveryEndsWithTheCache) {
  CreateGroup("demo", 2);
  Settle();
  Deliver("demo");
  Settle();
  DeleteGroup("demo");
  Settle();
  EXPECT_THAT(host_.LogsOf(Node("demo-001")), IsEmpty());
  EXPECT_FALSE(GroupExists("demo"));
}

TEST_F(Logs, APrimaryThatIsRetainedGoesOnDelivering) {
  CreateGroup("demo", 2);
  Settle();
  Deliver("demo");
  Settle();
  ChangeGroup("demo", [](ReplicationGroup& group) {
    group.status = kStatusDeleting;
    group.retained_cluster = "demo-001";
  });
  ChangeCluster("demo-002", [](CacheCluster& cluster) { cluster.status = kStatusDeleting; });
  Settle();
  EXPECT_EQ(Cluster("demo-001").log_deliveries.front().status, kLogActive);
  EXPECT_THAT(host_.LogsOf(Node("demo-001")), SizeIs(1));
}

}  // namespace
}  // namespace mikura::control
