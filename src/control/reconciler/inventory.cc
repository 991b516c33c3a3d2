// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/inventory.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "control/metadata/metadata_keys.h"

namespace mikura::control {
namespace {

template <typename Record>
bool Read(Result<Record> parsed, const KeyValue& kv, Record& out) {
  if (!parsed.ok()) {
    Log(LogLevel::kError, "reconciler", "{}: {}", kv.key, parsed.error().message);
    return false;
  }
  out = std::move(parsed).value();
  return true;
}

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

Loaded<CacheCluster>* Inventory::FindCluster(const ReplicationGroup& group,
                                             const std::string& cluster_id) {
  const auto found = clusters.find(CacheClusterKey(group.account, group.region, cluster_id));
  return found == clusters.end() ? nullptr : &found->second;
}

Result<bool> ReplaceShard(MetadataStore& store, Loaded<ShardState>& shard, ShardState next,
                          std::vector<Write> writes, std::vector<Compare> compares) {
  compares.push_back(shard.Unchanged());
  writes.push_back(Write::Put(shard.kv.key, ToJson(next)));
  ASSIGN_OR_RETURN(const std::optional<Revision> revision, store.Transact(compares, writes));
  if (!revision) return false;
  shard.kv.mod_revision = *revision;
  shard.record = std::move(next);
  return true;
}

bool Inventory::IsInUse(const Snapshot& snapshot) const {
  const std::string data = DataOfSnapshot(snapshot.incarnation);
  return std::any_of(clusters.begin(), clusters.end(),
                     [&](const auto& each) { return each.second.record.data_source == data; }) ||
         std::any_of(snapshots.begin(), snapshots.end(), [&](const Loaded<Snapshot>& each) {
           return each.record.copied_from == snapshot.incarnation;
         });
}

Result<Inventory> LoadInventory(MetadataStore& store) {
  Inventory inventory;
  ASSIGN_OR_RETURN(const std::vector<KeyValue> accounts, store.List(kAccountsPrefix));
  for (const KeyValue& kv : accounts) {
    if (IsReplicationGroupKey(kv.key)) {
      Loaded<ReplicationGroup> group{kv, {}};
      if (Read(ReplicationGroupFromJson(kv.value), kv, group.record)) {
        inventory.groups.push_back(std::move(group));
      }
    } else if (IsCacheClusterKey(kv.key)) {
      Loaded<CacheCluster> cluster{kv, {}};
      if (Read(CacheClusterFromJson(kv.value), kv, cluster.record)) {
        inventory.clusters.emplace(kv.key, std::move(cluster));
      }
    } else if (IsParameterGroupKey(kv.key)) {
      CacheParameterGroup group;
      if (Read(CacheParameterGroupFromJson(kv.value), kv, group)) {
        inventory.parameter_groups.emplace(kv.key, std::move(group));
      }
    } else if (IsUserKey(kv.key)) {
      Loaded<User> user{kv, {}};
      if (Read(UserFromJson(kv.value), kv, user.record)) {
        inventory.users.emplace(kv.key, std::move(user));
      }
    } else if (IsUserGroupKey(kv.key)) {
      Loaded<UserGroup> users{kv, {}};
      if (Read(UserGroupFromJson(kv.value), kv, users.record)) {
        inventory.user_groups.emplace(kv.key, std::move(users));
      }
    } else if (IsSnapshotKey(kv.key)) {
      Loaded<Snapshot> snapshot{kv, {}};
      if (Read(SnapshotFromJson(kv.value), kv, snapshot.record)) {
        inventory.snapshots.push_back(std::move(snapshot));
      }
    }
  }
  ASSIGN_OR_RETURN(const std::vector<KeyValue> nodes, store.List(kNodesPrefix));
  for (const KeyValue& kv : nodes) {
    NodeSpec spec;
    if (EndsWith(kv.key, "/spec") && Read(NodeSpecFromJson(kv.value), kv, spec)) {
      inventory.nodes.emplace(spec.id, spec);
    }
  }
  ASSIGN_OR_RETURN(const std::vector<KeyValue> shards, store.List(kShardsPrefix));
  for (const KeyValue& kv : shards) {
    Loaded<ShardState> shard{kv, {}};
    if (Read(ShardStateFromJson(kv.value), kv, shard.record)) {
      inventory.shards.emplace(kv.key, std::move(shard));
    }
  }
  return inventory;
}

}  // namespace mikura::control
