// SPDX-License-Identifier: Apache-2.0
// What becomes of replication groups when the control process is killed (crash_story.h).
#include "control/metadata/metadata_keys.h"
#include "control/model/cluster_modification.h"
#include "control/reconciler/crash_story.h"
#include "control/reconciler/shard_controller.h"

namespace mikura::control {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class GroupStory : public CrashStory {
 public:
  bool Creation(int effect) {
    CreateGroup("demo", 3);
    CreateCluster("mc", "memcached", 2);
    const bool struck = RunKilledBefore(effect);
    Settle();
    EXPECT_EQ(Group("demo").status, "available") << effect;
    EXPECT_EQ(Cluster("mc").status, "available") << effect;
    EXPECT_EQ(host_.starts(), 5) << effect;
    EXPECT_THAT(Keys("/ec/v1/ip/loopback/"), SizeIs(8)) << effect;
    return struck;
  }

  bool FailoverOfThePrimary(int effect) {
    CreateGroup("demo", 3);
    Settle();
    host_.Write(Node("demo-001"), "x");
    host_.KillNode(Node("demo-001"));
    const bool struck = RunKilledBefore(effect);
    Settle();
    EXPECT_EQ(Group("demo").status, "available") << effect;
    EXPECT_EQ(Shard("demo").epoch, 2) << effect;
    EXPECT_EQ(host_.node(Shard("demo").primary).data.count("x"), 1u) << effect;
    EXPECT_THAT(host_.ServersOf("primary"), ::testing::ElementsAre(Shard("demo").primary));
    return struck;
  }

  // Whoever leads has all that was written, and nobody else serves.
  void ExpectWhole(int effect) {
    EXPECT_EQ(Group("demo").status, "available") << effect;
    const ShardState state = Shard("demo");
    EXPECT_EQ(host_.node(state.primary).data.count("x"), 1u) << effect;
    EXPECT_THAT(host_.ServersOf("primary"), ::testing::ElementsAre(state.primary)) << effect;
    EXPECT_THAT(state.retired, IsEmpty()) << effect;
    EXPECT_EQ(host_.size(), state.members.size()) << effect;
    EXPECT_THAT(Keys("/ec/v1/ip/loopback/"), SizeIs(2 + state.members.size())) << effect;
    EXPECT_FALSE(host_.node(state.primary).holds_writes) << effect;
  }

  void CreateDemo(int64_t nodes) {
    CreateGroup("demo", nodes);
    Settle();
    host_.Write(Node("demo-001"), "x");
  }

  bool PlannedFailover(int effect) {
    CreateDemo(3);
    ChangeGroup("demo", [](ReplicationGroup& group) {
      group.pending.primary_cluster = "demo-003";
      group.applying = true;
      group.status = kStatusModifying;
    });
    const bool struck = RunKilledBefore(effect);
    Settle();
    ExpectWhole(effect);
    EXPECT_EQ(Shard("demo").primary, Node("demo-003")) << effect;
    EXPECT_EQ(Shard("demo").epoch, 2) << effect;
    EXPECT_EQ(host_.starts(), 3) << effect;
    return struck;
  }

  bool TestedFailover(int effect) {
    CreateDemo(2);
    ChangeGroup("demo", [](ReplicationGroup& group) {
      group.test_failover = true;
      group.status = kStatusModifying;
    });
    const bool struck = RunKilledBefore(effect);
    Settle();
    ExpectWhole(effect);
    EXPECT_EQ(Shard("demo").primary, Node("demo-002")) << effect;
    EXPECT_EQ(Shard("demo").epoch, 2) << effect;
    EXPECT_EQ(host_.starts(), 3) << effect;
    return struck;
  }

  bool Increase(int effect) {
    CreateDemo(2);
    AddMember("demo", "demo-003");
    const bool struck = RunKilledBefore(effect);
    Settle();
    ExpectWhole(effect);
    EXPECT_THAT(Shard("demo").in_sync, SizeIs(3)) << effect;
    EXPECT_EQ(Cluster("demo-003").status, "available") << effect;
    return struck;
  }

  bool DecreaseByThePrimary(int effect) {
    CreateDemo(3);
    ChangeGroup("demo", [](ReplicationGroup& group) { group.status = kStatusModifying; });
    ChangeCluster("demo-001", [](CacheCluster& cluster) { cluster.status = kStatusDeleting; });
    const bool struck = RunKilledBefore(effect);
    Settle();
    ExpectWhole(effect);
    EXPECT_THAT(Group("demo").member_clusters, ::testing::ElementsAre("demo-002", "demo-003"));
    EXPECT_FALSE(ClusterExists("demo-001")) << effect;
    return struck;
  }

  bool ScaleUp(int effect) {
    CreateDemo(2);
    ChangeGroup("demo", [](ReplicationGroup& group) {
      group.pending.node_type = "cache.t3.small";
      group.applying = true;
      group.status = kStatusModifying;
    });
    const bool struck = RunKilledBefore(effect);
    Settle();
    ExpectWhole(effect);
    EXPECT_EQ(Group("demo").node_type, "cache.t3.small") << effect;
    EXPECT_EQ(Cluster("demo-002").node_type, "cache.t3.small") << effect;
    EXPECT_EQ(Shard("demo").primary, Node("demo-001") + "-2") << effect;
    EXPECT_EQ(Shard("demo").epoch, 2) << effect;
    EXPECT_EQ(host_.starts(), 4) << effect;
    return struck;
  }

  bool DeletionInTheMiddleOfAChange(int effect) {
    CreateDemo(2);
    ChangeGroup("demo", [](ReplicationGroup& group) {
      group.pending.node_type = "cache.t3.small";
      group.applying = true;
    });
    const bool struck = RunKilledBefore(effect);
    DeleteGroup("demo");
    Settle();
    EXPECT_THAT(Keys("/ec/v1/acct/"), IsEmpty()) << effect;
    EXPECT_THAT(Keys("/ec/v1/node/"), IsEmpty()) << effect;
    EXPECT_THAT(Keys("/ec/v1/ip/loopback/"), IsEmpty()) << effect;
    EXPECT_EQ(host_.size(), 0u) << effect;
    return struck;
  }

  // A user changes while the group gets its user group; then its primary dies.
  bool AccessAndFailover(int effect) {
    CreateDemo(2);
    User user = BuiltInDefaultUser("000000000000", "ap-northeast-1");
    user.id = user.name = "app";
    user.status = kStatusModifying;
    UserGroup users{.id = "people",
                    .account = user.account,
                    .region = user.region,
                    .engine = "redis",
                    .status = std::string(kStatusCreating),
                    .user_ids = {"app"}};
    const std::string user_key = UsersPrefix(user.account, user.region) + user.id;
    const std::string users_key = UserGroupsPrefix(user.account, user.region) + users.id;
    EXPECT_TRUE(store_
                    .Transact({}, {Write::Put(user_key, ToJson(user)),
                                   Write::Put(users_key, ToJson(users))})
                    ->has_value());
    ChangeGroup("demo", [](ReplicationGroup& group) {
      group.access.wanted.user_group_ids = {"people"};
      group.access.wanted.tls_mode = kTlsRequired;
      group.status = kStatusModifying;
    });
    host_.KillNode(Node("demo-001"));
    const bool struck = RunKilledBefore(effect);
    Settle();
    EXPECT_EQ(Group("demo").status, "available") << effect;
    EXPECT_EQ(Group("demo").access.applied, Group("demo").access.wanted) << effect;
    EXPECT_EQ(UserFromJson((*store_.Get(user_key))->value)->status, "active") << effect;
    EXPECT_EQ(UserGroupFromJson((*store_.Get(users_key))->value)->status, "active") << effect;
    for (const char* cluster : {"demo-001", "demo-002"}) {
      const NodeAccess& access = host_.node(Node(cluster)).access;
      EXPECT_THAT(access.users, ::testing::HasSubstr("user app on")) << effect;
      EXPECT_THAT(access.users, ::testing::HasSubstr("user default off")) << effect;
      EXPECT_EQ(access.tls_mode, kTlsRequired) << effect;
    }
    EXPECT_EQ(host_.starts_without_access(), 0) << effect;
    return struck;
  }

  bool RebootsOfMembers(int effect) {
    CreateGroup("demo", 2);
    Settle();
    for (const char* id : {"demo-001", "demo-002"}) {
      ChangeCluster(
          id, [](CacheCluster& cluster) { ASSERT_TRUE(RebootNodes({"0001"}, cluster).ok()); });
    }
    ChangeGroup("demo", [](ReplicationGroup& group) { group.status = kStatusModifying; });
    const bool struck = RunKilledBefore(effect);
    Settle();
    EXPECT_EQ(Group("demo").status, "available") << effect;
    EXPECT_EQ(Shard("demo").epoch, 1) << effect;
    for (const char* id : {"demo-001", "demo-002"}) {
      EXPECT_EQ(host_.node(Node(id)).run, 2) << effect;
      EXPECT_EQ(Cluster(id).nodes.front().reboot, "") << effect;
      EXPECT_EQ(Cluster(id).status, "available") << effect;
    }
    return struck;
  }

  bool Deletion(int effect) {
    CreateGroup("demo", 2);
    CreateCluster("mc", "memcached", 2);
    Settle();
    DeleteGroup("demo");
    DeleteCluster("mc");
    const bool struck = RunKilledBefore(effect);
    Settle();
    EXPECT_THAT(Keys("/ec/v1/acct/"), IsEmpty()) << effect;
    EXPECT_THAT(Keys("/ec/v1/node/"), IsEmpty()) << effect;
    EXPECT_THAT(Keys("/ec/v1/ip/loopback/"), IsEmpty()) << effect;
    EXPECT_EQ(host_.size(), 0u) << effect;
    return struck;
  }

  bool DeletionThatRetainsThePrimary(int effect) {
    CreateGroup("demo", 3);
    Settle();
    host_.Write(Node("demo-001"), "x");
    ChangeGroup("demo", [](ReplicationGroup& group) {
      group.status = kStatusDeleting;
      group.retained_cluster = "demo-001";
    });
    const bool struck = RunKilledBefore(effect);
    Settle();
    EXPECT_FALSE(GroupExists("demo")) << effect;
    EXPECT_EQ(host_.size(), 1u) << effect;
    EXPECT_EQ(Cluster("demo-001").replication_group, "") << effect;
    EXPECT_EQ(host_.node(Node("demo-001")).run, 1) << effect;
    EXPECT_EQ(host_.node(Node("demo-001")).data.count("x"), 1u) << effect;
    EXPECT_THAT(Keys("/ec/v1/ip/loopback/"), SizeIs(1)) << effect;
    return struck;
  }

  // A snapshot, the end of its source with a final one, and a new group of that.
  bool SnapshotsAndRestore(int effect) {
    CreateGroup("demo", 2);
    Settle();
    host_.Write(Node("demo-001"), "x");
    CreateSnapshot("s1", "demo");
    bool struck = RunKilledBefore(effect);
    Settle();
    EXPECT_EQ(SnapshotNamed("s1").status, "available") << effect;
    EXPECT_EQ(Group("demo").status, "available") << effect;
    host_.Write(Node("demo-001"), "y");
    DeleteGroupWithSnapshot("demo", "last");
    struck = RunKilledBefore(effect) || struck;
    Settle();
    EXPECT_FALSE(GroupExists("demo")) << effect;
    EXPECT_EQ(SnapshotNamed("last").status, "available") << effect;
    EXPECT_THAT(host_.snapshots()["ofs1"], ::testing::ElementsAre("x")) << effect;
    EXPECT_THAT(host_.snapshots()["oflast"], ::testing::ElementsAre("x", "y")) << effect;
    RestoreGroup("new", 2, "snapshot:oflast");
    struck = RunKilledBefore(effect) || struck;
    Settle();
    EXPECT_EQ(Group("new").status, "available") << effect;
    for (const char* member : {"new-001", "new-002"}) {
      EXPECT_THAT(host_.node(Node(member)).data, ::testing::ElementsAre("x", "y")) << effect;
      EXPECT_EQ(Cluster(member).data_source, "") << effect;
    }
    EXPECT_EQ(host_.snapshots().size(), 2u) << effect;
    return struck;
  }

  bool FinalSnapshotWithoutThePrimary(int effect) {
    CreateDemo(3);
    DeleteGroupWithSnapshot("demo", "last");
    host_.KillNode(Node("demo-001"));
    const bool struck = RunKilledBefore(effect);
    Settle();
    EXPECT_EQ(SnapshotNamed("last").status, "available") << effect;
    EXPECT_THAT(host_.snapshots()["oflast"], ::testing::ElementsAre("x")) << effect;
    EXPECT_FALSE(GroupExists("demo")) << effect;
    EXPECT_EQ(host_.size(), 0u) << effect;
    return struck;
  }
};

TEST(GroupsKilledAtEachEffect, CreationIsFinishedByTheNextProcess) {
  EXPECT_GT(TellWithAKillAtEachEffect(&GroupStory::Creation), 15);
}

TEST(GroupsKilledAtEachEffect, FailoverIsFinishedByTheNextProcessAndHappensOnce) {
  EXPECT_GT(TellWithAKillAtEachEffect(&GroupStory::FailoverOfThePrimary), 8);
}

TEST(GroupsKilledAtEachEffect, APlannedFailoverIsFinishedByTheNextProcess) {
  EXPECT_GT(TellWithAKillAtEachEffect(&GroupStory::PlannedFailover), 8);
}

TEST(GroupsKilledAtEachEffect, ATestOfFailoverEndsThePrimaryOnce) {
  EXPECT_GT(TellWithAKillAtEachEffect(&GroupStory::TestedFailover), 8);
}

TEST(GroupsKilledAtEachEffect, AReplicaThatJoinsIsFinishedByTheNextProcess) {
  EXPECT_GT(TellWithAKillAtEachEffect(&GroupStory::Increase), 5);
}

TEST(GroupsKilledAtEachEffect, APrimaryThatLeavesHandsOverItsRoleFirst) {
  EXPECT_GT(TellWithAKillAtEachEffect(&GroupStory::DecreaseByThePrimary), 10);
}

TEST(GroupsKilledAtEachEffect, AChangeOfTheNodeTypeIsFinishedByTheNextProcess) {
  EXPECT_GT(TellWithAKillAtEachEffect(&GroupStory::ScaleUp), 20);
}

TEST(GroupsKilledAtEachEffect, AGroupIsDeletedWithAllNodesOfAChangeUnderWay) {
  EXPECT_GT(TellWithAKillAtEachEffect(&GroupStory::DeletionInTheMiddleOfAChange), 20);
}

TEST(GroupsKilledAtEachEffect, AccessIsOnAllNodesAndNoneStartsWithoutIt) {
  EXPECT_GT(TellWithAKillAtEachEffect(&GroupStory::AccessAndFailover), 10);
}

TEST(GroupsKilledAtEachEffect, RebootsOfMembersHappenOnce) {
  EXPECT_GT(TellWithAKillAtEachEffect(&GroupStory::RebootsOfMembers), 10);
}

TEST(GroupsKilledAtEachEffect, DeletionIsFinishedByTheNextProcess) {
  EXPECT_GT(TellWithAKillAtEachEffect(&GroupStory::Deletion), 8);
}

TEST(GroupsKilledAtEachEffect, ARetainedPrimaryIsLeftAloneByTheNextProcess) {
  EXPECT_GT(TellWithAKillAtEachEffect(&GroupStory::DeletionThatRetainsThePrimary), 5);
}

TEST(GroupsKilledAtEachEffect, SnapshotsAndRestoresAreFinishedByTheNextProcess) {
  EXPECT_GT(TellWithAKillAtEachEffect(&GroupStory::SnapshotsAndRestore), 10);
}

TEST(GroupsKilledAtEachEffect, AFinalSnapshotWithoutThePrimaryIsFinishedByTheNextProcess) {
  EXPECT_GT(TellWithAKillAtEachEffect(&GroupStory::FinalSnapshotWithoutThePrimary), 8);
}

}  // namespace
}  // namespace mikura::control
