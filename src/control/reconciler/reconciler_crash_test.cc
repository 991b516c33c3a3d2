// SPDX-License-Identifier: Apache-2.0
// The control process is killed before its first effect, before its second, and so on; the next
// process must finish what was begun, whatever it was.
#include "control/model/cluster_modification.h"
#include "control/reconciler/reconciler_fixture.h"
#include "control/reconciler/shard_controller.h"

namespace mikura::control {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class KilledAtAnyMoment : public ReconcilerFixture {
 protected:
  // Runs steps until the kill strikes, or to rest. Returns false when it never struck.
  bool RunKilledBefore(int effect) {
    crash_.CrashBefore(effect);
    for (int i = 0; i < 40 && !crash_.crashed(); ++i) {
      if (Step()) break;
      clock_.Advance(std::chrono::milliseconds(20));
    }
    // Some more steps of a process that can do nothing, then its successor.
    const bool struck = crash_.crashed();
    crash_.Never();
    Restart();
    return struck;
  }
};

// The whole story as a function of the effect at which the kill strikes; each story gets a fixture
// of its own, so the loop goes over instances.
class Story : public KilledAtAnyMoment {
 public:
  void TestBody() override {}

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
    host_.Kill(Node("demo-001"));
    const bool struck = RunKilledBefore(effect);
    Settle();
    EXPECT_EQ(Group("demo").status, "available") << effect;
    EXPECT_EQ(Shard("demo").epoch, 2) << effect;
    EXPECT_EQ(host_.node(Shard("demo").primary).data.count("x"), 1u) << effect;
    EXPECT_THAT(host_.ServersOf("primary"), ::testing::ElementsAre(Shard("demo").primary));
    return struck;
  }

  bool ChangesOfNodes(int effect) {
    CreateCluster("mc", "memcached", 3);
    Settle();
    ChangeCluster("mc",
                  [](CacheCluster& cluster) { ASSERT_TRUE(RebootNodes({"0003"}, cluster).ok()); });
    bool struck = RunKilledBefore(effect);
    Settle();
    EXPECT_EQ(host_.node("mc-0003-1f2e3d4c").run, 2) << effect;
    ChangeCluster("mc", [](CacheCluster& cluster) {
      ASSERT_TRUE(ModifyCluster({.node_count = 2, .removed_nodes = {"0001"}, .immediately = true},
                                {"1a", "1c"}, 0, cluster)
                      .ok());
    });
    struck = RunKilledBefore(effect) || struck;
    Settle();
    EXPECT_EQ(Cluster("mc").nodes.size(), 2u) << effect;
    EXPECT_THAT(Keys("/ec/v1/ip/loopback/"), SizeIs(3)) << effect;
    ChangeCluster("mc", [](CacheCluster& cluster) {
      ASSERT_TRUE(
          ModifyCluster({.node_count = 4, .immediately = true}, {"1a", "1c"}, 0, cluster).ok());
    });
    struck = RunKilledBefore(effect) || struck;
    Settle();
    EXPECT_EQ(Cluster("mc").status, "available") << effect;
    EXPECT_EQ(Cluster("mc").nodes.size(), 4u) << effect;
    EXPECT_EQ(host_.size(), 4u) << effect;
    EXPECT_THAT(Keys("/ec/v1/ip/loopback/"), SizeIs(5)) << effect;
    EXPECT_EQ(Cluster("mc").membership_version, host_.node("mc-0004-1f2e3d4c").config_version);
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
};

using StoryOf = bool (Story::*)(int effect);

// Returns how many effects the story has: all were tried as the moment of the kill.
int TellWithAKillAtEachEffect(StoryOf story) {
  for (int effect = 0; effect < 200; ++effect) {
    Story instance;
    if (!(instance.*story)(effect)) return effect;
  }
  ADD_FAILURE() << "the story has no end";
  return 0;
}

TEST(KilledAtEachEffect, CreationIsFinishedByTheNextProcess) {
  EXPECT_GT(TellWithAKillAtEachEffect(&Story::Creation), 15);
}

TEST(KilledAtEachEffect, FailoverIsFinishedByTheNextProcessAndHappensOnce) {
  EXPECT_GT(TellWithAKillAtEachEffect(&Story::FailoverOfThePrimary), 8);
}

TEST(KilledAtEachEffect, ChangesOfNodesAreFinishedByTheNextProcess) {
  EXPECT_GT(TellWithAKillAtEachEffect(&Story::ChangesOfNodes), 5);
}

TEST(KilledAtEachEffect, DeletionIsFinishedByTheNextProcess) {
  EXPECT_GT(TellWithAKillAtEachEffect(&Story::Deletion), 8);
}

}  // namespace
}  // namespace mikura::control
