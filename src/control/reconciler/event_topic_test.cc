// SPDX-License-Identifier: Apache-2.0
// Which events of the reconciler are published, and where.
#include "control/metadata/metadata_keys.h"
#include "control/model/event.h"
#include "control/reconciler/reconciler_fixture.h"

namespace mikura::control {
namespace {

using ::testing::ElementsAre;

class EventTopics : public ReconcilerFixture {
 protected:
  // "source: message" of those that go to the topic.
  std::vector<std::string> Told(const std::string& topic) {
    std::vector<std::string> told;
    const auto events = store_.List(kEventsPrefix);
    for (const KeyValue& kv : *events) {
      const Event event = *EventFromJson(kv.value);
      if (event.topic == topic) told.push_back(event.source_id + ": " + event.message);
    }
    return told;
  }
};

TEST_F(EventTopics, AreThoseOfTheCacheWhenTheEventHappens) {
  CreateCluster("one", "redis", 1);
  ChangeCluster("one", [](CacheCluster& cluster) { cluster.topic = {"mine", "active"}; });
  CreateCluster("two", "redis", 1);
  Settle();
  host_.KillNode(Node("one"));
  host_.KillNode(Node("two"));
  Settle();
  ChangeCluster("one", [](CacheCluster& cluster) { cluster.topic.status = kTopicInactive; });
  host_.KillNode(Node("one"));
  Settle();
  EXPECT_THAT(Told("mine"),
              ElementsAre("one: Cache cluster created", "one: Recovering cache nodes 0001",
                          "one: Finished recovery for cache nodes 0001, empty: its data was kept "
                          "in memory only"));
}

TEST_F(EventTopics, OfAGroupAreItsOwnAndTheirMembers) {
  CreateGroup("demo", 2);
  ChangeGroup("demo", [](ReplicationGroup& group) { group.topic = {"group", "active"}; });
  ChangeCluster("demo-002", [](CacheCluster& cluster) { cluster.topic = {"member", "active"}; });
  Settle();
  EXPECT_THAT(Told("group"), ElementsAre("demo: Replication group created"));
  EXPECT_THAT(Told("member"), ElementsAre("demo-002: Cache cluster created"));
  DeleteGroup("demo");
  Settle();
  EXPECT_THAT(Told("group"),
              ElementsAre("demo: Replication group created", "demo: Replication group deleted"));
}

TEST_F(EventTopics, OfSnapshotsAreThoseOfTheirSource) {
  CreateGroup("demo", 1, false);
  Settle();
  ChangeGroup("demo", [](ReplicationGroup& group) { group.topic = {"group", "active"}; });
  CreateSnapshot("s1", "demo");
  Settle();
  const std::vector<std::string> told = Told("group");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front().rfind("demo: Snapshot succeeded", 0), 0U) << told.front();
}

}  // namespace
}  // namespace mikura::control
