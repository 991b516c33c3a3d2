// SPDX-License-Identifier: Apache-2.0
// All records that the reconciler acts on, as they stood in the store at the start of a step.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/metadata/metadata_store.h"
#include "control/model/cache_cluster.h"
#include "control/model/cache_parameter_group.h"
#include "control/model/node.h"
#include "control/model/replication_group.h"
#include "control/model/snapshot.h"
#include "control/model/user.h"
#include "control/model/user_group.h"

namespace mikura::control {

template <typename Record>
struct Loaded {
  KeyValue kv;
  Record record;

  Compare Unchanged() const { return Compare::Unchanged(kv); }
  // The record as it is now, to its key.
  Write Put() const { return Write::Put(kv.key, ToJson(record)); }
};

struct Inventory {
  std::vector<Loaded<ReplicationGroup>> groups;
  std::map<std::string, Loaded<CacheCluster>> clusters;         // by key
  std::map<std::string, CacheParameterGroup> parameter_groups;  // by key; those of users
  std::map<std::string, Loaded<User>> users;                    // by key
  std::map<std::string, Loaded<UserGroup>> user_groups;         // by key
  std::map<std::string, NodeSpec> nodes;                        // by node id
  std::map<std::string, Loaded<ShardState>> shards;             // by key
  std::vector<Loaded<Snapshot>> snapshots;

  // Whether something is being made of the snapshot: a restore or a copy.
  bool IsInUse(const Snapshot& snapshot) const;
  Loaded<CacheCluster>* FindCluster(const ReplicationGroup& group, const std::string& cluster_id);
};

// A record that cannot be read is left out and logged: one bad record must not stop all others.
// Errors: the store cannot be read.
Result<Inventory> LoadInventory(MetadataStore& store);

// Stores `next` and `writes` in one transaction, if neither the shard's state nor anything in
// `compares` has changed since it was read. Returns whether it did; `shard` is then up to date.
Result<bool> ReplaceShard(MetadataStore& store, Loaded<ShardState>& shard, ShardState next,
                          std::vector<Write> writes, std::vector<Compare> compares = {});

}  // namespace mikura::control
