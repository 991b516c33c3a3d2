// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/reconciler_fixture.h"

#include "control/metadata/metadata_keys.h"
#include "control/model/event.h"

namespace mikura::control {
namespace {

constexpr char kAccount[] = "000000000000";
constexpr char kRegion[] = "ap-northeast-1";

}  // namespace

void ReconcilerFixture::Restart() {
  reconciler_ = std::make_unique<Reconciler>(store_, host_, clock_, ReconcilerTimings{});
}

void ReconcilerFixture::Settle() {
  for (int i = 0; i < 100; ++i) {
    if (Step()) return;
    clock_.Advance(std::chrono::milliseconds(20));
  }
  ADD_FAILURE() << "the reconciler did not come to rest";
}

void ReconcilerFixture::ExpectNoLossByADeath(const std::string& node_id,
                                             const std::function<void()>& create,
                                             const std::function<void()>& change) {
  const auto settle = [this] {
    for (int i = 0; i < 200; ++i) {
      const bool due = host_.IsDeathDue();
      // A step may have looked at one that died later in it.
      if (Step() && due == host_.IsDeathDue()) return true;
      clock_.Advance(std::chrono::milliseconds(200));
    }
    return false;
  };
  int calls = 0;
  for (bool died = true; died; ++calls) {
    create();
    change();
    host_.KillAfterCalls(node_id, calls);
    ASSERT_TRUE(settle()) << node_id << " dies after " << calls << " calls";
    died = !host_.IsDeathDue();
    host_.KillAfterCalls("", 0);
    ASSERT_EQ(host_.node(Shard("demo").primary).data.count("x"), 1u)
        << node_id << " dies after " << calls << " calls";
    DeleteGroup("demo");
    ASSERT_TRUE(settle());
  }
  EXPECT_GT(calls, 10) << node_id << " never was there";
}

void ReconcilerFixture::CreateGroup(const std::string& id, int64_t nodes, bool automatic_failover) {
  NewReplicationGroup asked;
  asked.id = id;
  asked.description = "a test";
  asked.node_type = "cache.t3.micro";
  asked.cluster_count = nodes;
  asked.automatic_failover = automatic_failover;
  const auto built = BuildReplicationGroup(asked, creation_);
  ASSERT_TRUE(built.ok()) << built.error().message;
  std::vector<Write> writes = {
      Write::Put(ReplicationGroupKey(kAccount, kRegion, id), ToJson(built->group))};
  for (const CacheCluster& member : built->members) {
    writes.push_back(Write::Put(CacheClusterKey(kAccount, kRegion, member.id), ToJson(member)));
  }
  ASSERT_TRUE(store_.Transact({}, writes)->has_value());
}

void ReconcilerFixture::DeleteGroup(const std::string& id) {
  ReplicationGroup group = Group(id);
  group.status = kStatusDeleting;
  ASSERT_TRUE(
      store_.Transact({}, {Write::Put(ReplicationGroupKey(kAccount, kRegion, id), ToJson(group))})
          ->has_value());
}

void ReconcilerFixture::CreateCluster(const std::string& id, const std::string& engine,
                                      int64_t nodes) {
  NewCacheCluster asked;
  asked.id = id;
  asked.engine = engine;
  asked.node_type = "cache.t3.micro";
  asked.node_count = nodes;
  const auto cluster = BuildCacheCluster(asked, creation_);
  ASSERT_TRUE(cluster.ok()) << cluster.error().message;
  ASSERT_TRUE(
      store_.Transact({}, {Write::Put(CacheClusterKey(kAccount, kRegion, id), ToJson(*cluster))})
          ->has_value());
}

void ReconcilerFixture::DeleteCluster(const std::string& id) {
  CacheCluster cluster = Cluster(id);
  cluster.status = kStatusDeleting;
  ASSERT_TRUE(
      store_.Transact({}, {Write::Put(CacheClusterKey(kAccount, kRegion, id), ToJson(cluster))})
          ->has_value());
}

void ReconcilerFixture::ChangeGroup(const std::string& id,
                                    const std::function<void(ReplicationGroup&)>& change) {
  ReplicationGroup group = Group(id);
  change(group);
  ASSERT_TRUE(
      store_.Transact({}, {Write::Put(ReplicationGroupKey(kAccount, kRegion, id), ToJson(group))})
          ->has_value());
}

void ReconcilerFixture::ChangeCluster(const std::string& id,
                                      const std::function<void(CacheCluster&)>& change) {
  CacheCluster cluster = Cluster(id);
  change(cluster);
  ASSERT_TRUE(
      store_.Transact({}, {Write::Put(CacheClusterKey(kAccount, kRegion, id), ToJson(cluster))})
          ->has_value());
}

void ReconcilerFixture::AddMember(const std::string& group_id, const std::string& id) {
  ReplicationGroup group = Group(group_id);
  CacheCluster member = Cluster(group.member_clusters.front());
  member.id = id;
  member.status = kStatusCreating;
  member.nodes.front().status = kStatusCreating;
  member.nodes.front().endpoint = {};
  member.nodes.front().generation = 1;
  group.member_clusters.push_back(id);
  group.status = kStatusModifying;
  ASSERT_TRUE(
      store_
          .Transact({},
                    {Write::Put(ReplicationGroupKey(kAccount, kRegion, group_id), ToJson(group)),
                     Write::Put(CacheClusterKey(kAccount, kRegion, id), ToJson(member))})
          ->has_value());
}

ReplicationGroup ReconcilerFixture::Group(const std::string& id) {
  return *ReplicationGroupFromJson(
      (*store_.Get(ReplicationGroupKey(kAccount, kRegion, id)))->value);
}

CacheCluster ReconcilerFixture::Cluster(const std::string& id) {
  return *CacheClusterFromJson((*store_.Get(CacheClusterKey(kAccount, kRegion, id)))->value);
}

ShardState ReconcilerFixture::Shard(const std::string& group_id) {
  return *ShardStateFromJson((*store_.Get(ShardStateKey(Group(group_id).ShardKey())))->value);
}

bool ReconcilerFixture::GroupExists(const std::string& id) {
  return store_.Get(ReplicationGroupKey(kAccount, kRegion, id))->has_value();
}

bool ReconcilerFixture::ClusterExists(const std::string& id) {
  return store_.Get(CacheClusterKey(kAccount, kRegion, id))->has_value();
}

void ReconcilerFixture::PutSnapshot(const Snapshot& snapshot) {
  const std::string key = SnapshotKey(kAccount, kRegion, snapshot.name);
  ASSERT_TRUE(store_.Transact({}, {Write::Put(key, ToJson(snapshot))})->has_value());
}

void ReconcilerFixture::PutGroup(const ReplicationGroup& group) {
  const std::string key = ReplicationGroupKey(kAccount, kRegion, group.id);
  ASSERT_TRUE(store_.Transact({}, {Write::Put(key, ToJson(group))})->has_value());
}

void ReconcilerFixture::CreateSnapshot(const std::string& name, const std::string& group_id) {
  ReplicationGroup group = Group(group_id);
  std::vector<CacheCluster> members;
  for (const std::string& id : group.member_clusters) members.push_back(Cluster(id));
  PutSnapshot(SnapshotOf(group, members, "",
                         {.name = name, .incarnation = "of" + name, .now = clock_.NowMillis()}));
  group.active_snapshot = name;
  if (group.status == kStatusAvailable) group.status = kStatusSnapshotting;
  PutGroup(group);
}

void ReconcilerFixture::DeleteGroupWithSnapshot(const std::string& id, const std::string& name) {
  DeleteGroup(id);
  CreateSnapshot(name, id);
}

void ReconcilerFixture::RestoreGroup(const std::string& id, int64_t nodes,
                                     const std::string& data) {
  CreateGroup(id, nodes, nodes > 1);
  ReplicationGroup group = Group(id);
  group.data_source = data;
  PutGroup(group);
  for (const std::string& member_id : group.member_clusters) {
    CacheCluster member = Cluster(member_id);
    member.data_source = data;
    const std::string key = CacheClusterKey(kAccount, kRegion, member_id);
    ASSERT_TRUE(store_.Transact({}, {Write::Put(key, ToJson(member))})->has_value());
  }
}

Snapshot ReconcilerFixture::SnapshotNamed(const std::string& name) {
  return *SnapshotFromJson((*store_.Get(SnapshotKey(kAccount, kRegion, name)))->value);
}

bool ReconcilerFixture::SnapshotExists(const std::string& name) {
  return store_.Get(SnapshotKey(kAccount, kRegion, name))->has_value();
}

std::vector<std::string> ReconcilerFixture::Events() {
  std::vector<std::string> messages;
  const auto events = store_.List(kEventsPrefix);
  for (const KeyValue& kv : *events) {
    const Event event = *EventFromJson(kv.value);
    messages.push_back(event.source_id + ": " + event.message);
  }
  return messages;
}

std::vector<std::string> ReconcilerFixture::Keys(const std::string& prefix) {
  std::vector<std::string> keys;
  const auto listed = store_.List(prefix);
  for (const KeyValue& kv : *listed) keys.push_back(kv.key);
  return keys;
}

}  // namespace mikura::control
