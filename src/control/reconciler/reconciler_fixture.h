// SPDX-License-Identifier: Apache-2.0
// A reconciler over a store in memory, a fake host and a clock that moves when told.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/metadata/memory_store.h"
#include "control/reconciler/fake_runtime.h"
#include "control/reconciler/inventory.h"
#include "control/reconciler/reconciler.h"

namespace mikura::control {

// Writes nothing after the crash.
class CrashingStore final : public MetadataStore {
 public:
  explicit CrashingStore(CrashPoint& crash) : crash_(crash) {}

  Result<std::optional<Revision>> Transact(const std::vector<Compare>& compares,
                                           const std::vector<Write>& writes) override {
    if (!crash_.Allow()) return Error{"crashed"};
    ++transactions_;
    return store_.Transact(compares, writes);
  }
  Result<std::optional<KeyValue>> Get(std::string_view key) override { return store_.Get(key); }
  Result<std::vector<KeyValue>> List(std::string_view prefix) override {
    return store_.List(prefix);
  }
  std::shared_ptr<void> Watch(std::string prefix, std::function<void()> changed) override {
    return store_.Watch(std::move(prefix), std::move(changed));
  }
  int transactions() const { return transactions_; }

 private:
  CrashPoint& crash_;
  MemoryStore store_;
  int transactions_ = 0;
};

class ReconcilerFixture : public ::testing::Test {
 protected:
  ReconcilerFixture() { Restart(); }

  // The control process ends and another begins: only the store and the nodes stay.
  void Restart();
  // Steps, with time passing, until a step finds nothing to do.
  void Settle();
  // The node dies after 0, 1, 2... calls of the host while the group "demo", made by `create`,
  // comes to rest from what `change` asks of it: its primary has what was written before, "x".
  void ExpectNoLossByADeath(const std::string& node_id, const std::function<void()>& create,
                            const std::function<void()>& change);
  bool Step() {
    host_.Tick();
    return reconciler_->Step();
  }

  void CreateGroup(const std::string& id, int64_t nodes, bool automatic_failover = true);
  void DeleteGroup(const std::string& id);
  void CreateCluster(const std::string& id, const std::string& engine, int64_t nodes);
  void DeleteCluster(const std::string& id);
  // What an action changes of a cluster.
  void ChangeCluster(const std::string& id, const std::function<void(CacheCluster&)>& change);

  // Stores the group (a cluster) as `change` leaves it.
  void ChangeGroup(const std::string& id, const std::function<void(ReplicationGroup&)>& change);
  // The member joins the group, as IncreaseReplicaCount stores it.
  void AddMember(const std::string& group_id, const std::string& id);
  // What the API does for CreateSnapshot, for a final snapshot, and for a restore from `data`.
  void CreateSnapshot(const std::string& name, const std::string& group);
  void DeleteGroupWithSnapshot(const std::string& id, const std::string& name);
  void RestoreGroup(const std::string& id, int64_t nodes, const std::string& data);
  // Creates the record or replaces it.
  void PutSnapshot(const Snapshot& snapshot);
  void PutGroup(const ReplicationGroup& group);
  Snapshot SnapshotNamed(const std::string& name);
  bool SnapshotExists(const std::string& name);

  ReplicationGroup Group(const std::string& id);
  CacheCluster Cluster(const std::string& id);
  ShardState Shard(const std::string& group_id);
  bool GroupExists(const std::string& id);
  bool ClusterExists(const std::string& id);
  std::vector<std::string> Events();
  std::vector<std::string> Keys(const std::string& prefix);
  // "demo-001" -> its node id.
  static std::string Node(const std::string& cluster_id) { return cluster_id + "-1f2e3d4c"; }

  CrashPoint crash_;
  ManualClock clock_;
  CrashingStore store_{crash_};
  FakeRuntime host_{crash_};
  std::unique_ptr<Reconciler> reconciler_;
  CreationContext creation_{"000000000000", "ap-northeast-1", "1f2e3d4c", 0, {"1a", "1c"}};
};

}  // namespace mikura::control
