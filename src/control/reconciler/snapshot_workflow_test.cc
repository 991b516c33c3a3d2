// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/snapshot_workflow.h"

#include <chrono>

#include "control/reconciler/reconciler_fixture.h"

namespace mikura::control {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""ms;

class Snapshots : public ReconcilerFixture {
 protected:
  void StepSome(int steps = 10) {
    for (int i = 0; i < steps; ++i) {
      Step();
      clock_.Advance(20ms);
    }
  }
  void GroupWithData(int64_t nodes) {
    CreateGroup("demo", nodes, nodes > 1);
    Settle();
    host_.Write(Node("demo-001"), "x");
  }
};

TEST_F(Snapshots, AreMadeByAReplica) {
  GroupWithData(3);
  CreateSnapshot("s", "demo");
  Settle();
  EXPECT_EQ(SnapshotNamed("s").status, "available");
  EXPECT_EQ(SnapshotNamed("s").nodes[0].bytes, 9);
  EXPECT_THAT(host_.snapshot_requests(), ElementsAre(Node("demo-002")));
  EXPECT_THAT(host_.snapshots()["ofs"], ElementsAre("x"));
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_THAT(Events(), Contains("demo: Snapshot succeeded for snapshot with ID 's' of "
                                 "replication group with ID 'demo'"));
}

TEST_F(Snapshots, AreMadeByThePrimaryWhenThereIsNoReplica) {
  GroupWithData(1);
  CreateSnapshot("s", "demo");
  Settle();
  EXPECT_THAT(host_.snapshot_requests(), ElementsAre(Node("demo-001")));
}

TEST_F(Snapshots, ShowGroupAndMemberAsSnapshotting) {
  GroupWithData(2);
  host_.HoldSnapshots(true);
  CreateSnapshot("s", "demo");
  StepSome();
  EXPECT_EQ(SnapshotNamed("s").status, "creating");
  EXPECT_EQ(Group("demo").status, "snapshotting");
  EXPECT_EQ(Cluster("demo-001").status, "available");
  EXPECT_EQ(Cluster("demo-002").status, "snapshotting");
  host_.HoldSnapshots(false);
  Settle();
  EXPECT_EQ(Cluster("demo-002").status, "available");
}

TEST_F(Snapshots, AreTakenAgainFromAnotherNodeWhenTheirsEnds) {
  GroupWithData(3);
  host_.HoldSnapshots(true);
  CreateSnapshot("s", "demo");
  StepSome();
  host_.Kill(Node("demo-002"));
  host_.HoldSnapshots(false);
  Settle();
  EXPECT_EQ(SnapshotNamed("s").status, "available");
  EXPECT_THAT(host_.snapshots()["ofs"], ElementsAre("x"));
}

TEST_F(Snapshots, OfANodeThatLostItsDataFail) {
  GroupWithData(1);
  host_.HoldSnapshots(true);
  CreateSnapshot("s", "demo");
  StepSome();
  host_.Kill(Node("demo-001"));
  host_.HoldSnapshots(false);
  Settle();
  EXPECT_EQ(SnapshotNamed("s").status, "failed");
  EXPECT_THAT(host_.snapshots(), IsEmpty());
  EXPECT_EQ(Group("demo").status, "available");
}

TEST_F(Snapshots, FailAfterThreeAttempts) {
  GroupWithData(2);
  host_.FailSnapshots("no space left");
  CreateSnapshot("s", "demo");
  Settle();
  EXPECT_EQ(SnapshotNamed("s").status, "failed");
  EXPECT_THAT(host_.snapshot_requests(), SizeIs(3));
  EXPECT_THAT(SnapshotNamed("s").failure, HasSubstr("no space left"));
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_EQ(Cluster("demo-002").status, "available");
}

TEST_F(Snapshots, FinalOnesComeBeforeTheEnd) {
  GroupWithData(2);
  DeleteGroupWithSnapshot("demo", "last");
  Settle();
  EXPECT_FALSE(GroupExists("demo"));
  EXPECT_EQ(SnapshotNamed("last").status, "available");
  EXPECT_THAT(host_.snapshots()["oflast"], ElementsAre("x"));
}

TEST_F(Snapshots, FinalOnesThatFailCancelTheDeletion) {
  GroupWithData(2);
  host_.FailSnapshots("no space left");
  DeleteGroupWithSnapshot("demo", "last");
  Settle();
  EXPECT_EQ(Group("demo").status, "available");
  EXPECT_EQ(SnapshotNamed("last").status, "failed");
  EXPECT_EQ(host_.node(Node("demo-001")).data.count("x"), 1u);
}

TEST_F(Snapshots, FinalOnesAreTakenFromAReplicaWhenThePrimaryEnds) {
  GroupWithData(3);
  DeleteGroupWithSnapshot("demo", "last");
  host_.KillNode(Node("demo-001"));
  Settle();
  EXPECT_FALSE(GroupExists("demo"));
  EXPECT_EQ(SnapshotNamed("last").status, "available");
  EXPECT_THAT(host_.snapshots()["oflast"], ElementsAre("x"));
}

TEST_F(Snapshots, FinalOnesOfNodesThatAllEndedFailAtOnce) {
  GroupWithData(2);
  DeleteGroupWithSnapshot("demo", "last");
  host_.KillNode(Node("demo-001"));
  host_.KillNode(Node("demo-002"));
  StepSome();
  EXPECT_EQ(SnapshotNamed("last").status, "failed");
  Settle();
  EXPECT_EQ(Group("demo").status, "available");
}

TEST_F(Snapshots, AreCopiedExportedAndRemoved) {
  GroupWithData(1);
  CreateSnapshot("s", "demo");
  Settle();
  Snapshot copy = SnapshotNamed("s");
  copy.name = "c";
  copy.incarnation = "ofc";
  copy.status = kStatusCopying;
  copy.copied_from = "ofs";
  PutSnapshot(copy);
  Settle();
  EXPECT_EQ(SnapshotNamed("c").status, "available");
  copy = SnapshotNamed("c");
  copy.status = kStatusExporting;
  copy.export_to = "b/c-0001.rdb";
  PutSnapshot(copy);
  Settle();
  EXPECT_THAT(host_.buckets()["b/c-0001.rdb"], ElementsAre("x"));
  copy = SnapshotNamed("c");
  copy.status = kStatusDeleting;
  PutSnapshot(copy);
  Settle();
  EXPECT_FALSE(SnapshotExists("c"));
  EXPECT_THAT(host_.snapshots(), SizeIs(1));
}

TEST_F(Snapshots, AreLoadedBeforeTheNewGroupIsAvailable) {
  host_.buckets()["b/a.rdb"] = {"x"};
  RestoreGroup("new", 3, "bucket:b/a.rdb");
  Settle();
  EXPECT_EQ(Group("new").status, "available");
  for (const char* member : {"new-001", "new-002", "new-003"}) {
    EXPECT_THAT(host_.node(Node(member)).data, ElementsAre("x"));
  }
  // From now on they are nodes like others: a lost copy does not come back from the file.
  host_.Write(Node("new-001"), "y");
  host_.Kill(Node("new-002"));
  Settle();
  EXPECT_THAT(host_.node(Node("new-002")).data, ElementsAre("x", "y"));
  EXPECT_EQ(host_.node(Node("new-002")).launch.data_source, "");
}

TEST_F(Snapshots, ThatAreDamagedFailTheRestore) {
  host_.buckets()["b/a.rdb"] = {"damaged"};
  RestoreGroup("new", 2, "bucket:b/a.rdb");
  for (int i = 0; i < 100; ++i) {
    Step();
    clock_.Advance(100ms);
  }
  EXPECT_EQ(Group("new").status, "create-failed");
  EXPECT_EQ(Cluster("new-001").status, "restore-failed");
  EXPECT_THAT(Events(), Contains(HasSubstr("it is damaged")));
  DeleteGroup("new");
  Settle();
  EXPECT_FALSE(GroupExists("new"));
}

TEST_F(Snapshots, ThatAreNotThereFailTheRestore) {
  RestoreGroup("new", 1, "bucket:b/absent.rdb");
  for (int i = 0; i < 100; ++i) {
    Step();
    clock_.Advance(100ms);
  }
  EXPECT_EQ(Group("new").status, "create-failed");
}

TEST_F(Snapshots, AreNotBlamedForNodesThatEndForOtherReasons) {
  host_.buckets()["b/a.rdb"] = {"x"};
  host_.RefuseStarts("the port is taken");
  RestoreGroup("new", 1, "bucket:b/a.rdb");
  for (int i = 0; i < 100; ++i) {
    Step();
    clock_.Advance(100ms);
  }
  EXPECT_EQ(Group("new").status, "creating");
  host_.RefuseStarts("");
  clock_.Advance(1min);
  Settle();
  EXPECT_THAT(host_.node(Node("new-001")).data, ElementsAre("x"));
}

TEST_F(Snapshots, AreTakenDailyInTheWindowAndKeptForTheLimit) {
  GroupWithData(2);
  ReplicationGroup group = Group("demo");
  group.snapshot_retention_limit = 2;
  group.snapshot_window = "05:00-06:00";
  PutGroup(group);
  const auto automated = [&] { return Keys("/ec/v1/acct/000000000000/ap-northeast-1/snapshot/"); };
  // The clock begins at 2023-11-14 22:13.
  Settle();
  EXPECT_THAT(automated(), IsEmpty());
  clock_.Advance(7h);
  Settle();
  ASSERT_THAT(automated(), SizeIs(1));
  EXPECT_THAT(automated()[0], HasSubstr("automatic.demo-2023-11-15-05-13"));
  clock_.Advance(30min);
  Settle();
  EXPECT_THAT(automated(), SizeIs(1));
  for (int day = 0; day < 3; ++day) {
    clock_.Advance(24h);
    Settle();
  }
  EXPECT_THAT(automated(), SizeIs(2));
  EXPECT_THAT(automated()[1], HasSubstr("2023-11-18"));
  EXPECT_THAT(host_.snapshots(), SizeIs(2));
  DeleteGroup("demo");
  StepSome();
  EXPECT_THAT(automated(), IsEmpty());
  EXPECT_THAT(host_.snapshots(), IsEmpty());
}

}  // namespace
}  // namespace mikura::control
