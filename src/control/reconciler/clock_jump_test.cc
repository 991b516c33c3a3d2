// SPDX-License-Identifier: Apache-2.0
// The wall clock of the host is set, by years even, while caches run.
#include "control/reconciler/reconciler_fixture.h"

namespace mikura::control {
namespace {

using namespace std::chrono_literals;
using ::testing::SizeIs;

constexpr std::chrono::hours kYears = 24h * 365 * 5;

class ClockJumps : public ReconcilerFixture {
 protected:
  void CreateDaily() {
    CreateGroup("demo", 2);
    Settle();
    ReplicationGroup group = Group("demo");
    group.snapshot_retention_limit = 2;
    group.snapshot_window = "05:00-06:00";
    PutGroup(group);
    clock_.Advance(7h);  // from 22:13
    Settle();
  }
  std::vector<std::string> Snapshots() {
    return Keys("/ec/v1/acct/000000000000/ap-northeast-1/snapshot/");
  }
};

TEST_F(ClockJumps, ForwardKeepTheLatestDailySnapshot) {
  CreateDaily();
  ASSERT_THAT(Snapshots(), SizeIs(1));
  clock_.Jump(kYears + 3h);  // out of the window: none takes its place
  Settle();
  EXPECT_THAT(Snapshots(), SizeIs(1));
  EXPECT_THAT(host_.snapshots(), SizeIs(1));
}

TEST_F(ClockJumps, BackLetDailySnapshotsGoOn) {
  clock_.Jump(kYears);
  CreateDaily();
  ASSERT_THAT(Snapshots(), SizeIs(1));
  clock_.Jump(-kYears);
  Settle();
  EXPECT_THAT(Snapshots(), SizeIs(2));
  clock_.Advance(24h);
  Settle();
  EXPECT_THAT(Snapshots(), SizeIs(3));
}

TEST_F(ClockJumps, BackDoNotMakeASnapshotWaitForThem) {
  CreateGroup("demo", 1, false);
  Settle();
  host_.KillNode(Node("demo-001"));
  host_.RefuseStarts("the port is taken");
  CreateSnapshot("s", "demo");
  clock_.Jump(-kYears);
  for (int i = 0; i < 5; ++i) Step();
  EXPECT_EQ(SnapshotNamed("s").status, "failed");
}

TEST_F(ClockJumps, LetARestartGoOnInTime) {
  CreateGroup("demo", 2);
  Settle();
  for (const auto jump : {kYears, -2 * kYears}) {
    host_.KillNode(Node("demo-002"));
    clock_.Jump(jump);
    Settle();
    EXPECT_EQ(Group("demo").status, "available");
    EXPECT_EQ(Cluster("demo-002").status, "available");
  }
}

TEST_F(ClockJumps, BackLetOldEventsGo) {
  clock_.Jump(kYears);
  CreateGroup("demo", 1, false);
  Settle();
  clock_.Jump(-kYears);
  CreateGroup("other", 1, false);
  Settle();
  const size_t before = Keys("/ec/v1/event/").size();
  clock_.Advance(24h * 15);
  Settle();
  EXPECT_LT(Keys("/ec/v1/event/").size(), before);
}

}  // namespace
}  // namespace mikura::control
