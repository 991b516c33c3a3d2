// SPDX-License-Identifier: Apache-2.0
// The metadata store (etcd): one record per shard that is changed by compare-and-set only, leases
// that end by its own clock, and the leader key, which lives as long as the lease it is attached
// to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "tests/simulation/scenario.h"

namespace mikura::simulation {

struct ShardRecord {
  int64_t revision = 0;
  int64_t epoch = 0;
  int primary = -1;
  std::map<int, int64_t> in_sync;  // node -> which of its lives
};

struct LeaseView {
  int64_t lease = 0;
  bool is_leader = false;  // the leader key is attached to this lease
  ShardRecord shard;
};

class Store {
 public:
  explicit Store(World& world) : world_(world) {}

  const ShardRecord& shard() const { return shard_; }
  bool has_leader() const { return leader_ >= 0 && IsAlive(leader_lease_); }
  int64_t LeaseOf(int node) const {
    const auto found = lease_of_.find(node);
    return found != lease_of_.end() && IsAlive(found->second) ? found->second : 0;
  }

  // Prolongs the lease, or grants another one when it has ended.
  LeaseView Renew(int node, int64_t lease) {
    if (lease == 0 || !IsAlive(lease)) lease = ++last_lease_;
    ends_[lease] = world_.now() + kLeaseTime;
    lease_of_[node] = lease;
    return {lease, leader_ == node && leader_lease_ == lease, shard_};
  }

  // ---- One transaction each.
  bool ChangeInSync(int64_t revision, std::map<int, int64_t> in_sync) {
    if (shard_.revision != revision) return false;
    shard_.in_sync = std::move(in_sync);
    ++shard_.revision;
    return true;
  }
  bool Elect(int64_t revision, int node, bool ignores_lease) {
    const int64_t lease = LeaseOf(node);
    if (shard_.revision != revision || lease == 0 || (has_leader() && !ignores_lease)) return false;
    ++shard_.epoch;
    ++shard_.revision;
    shard_.primary = node;
    leader_ = node;
    leader_lease_ = lease;
    return true;
  }
  void Begin(const ShardRecord& shard) { shard_ = shard; }

 private:
  bool IsAlive(int64_t lease) const {
    const auto end = ends_.find(lease);
    return end != ends_.end() && end->second > world_.now();
  }

  World& world_;
  ShardRecord shard_;
  std::map<int64_t, Micros> ends_;
  std::map<int, int64_t> lease_of_;
  int64_t last_lease_ = 0;
  int leader_ = -1;
  int64_t leader_lease_ = 0;
};

}  // namespace mikura::simulation
