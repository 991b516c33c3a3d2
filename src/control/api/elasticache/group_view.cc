// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/group_view.h"

#include <fmt/format.h>

#include <utility>

#include "control/api/elasticache/answers.h"

namespace mikura::control {
namespace {

// How often members may come and go while a group is read.
constexpr int kReadsMax = 10;

}  // namespace

std::vector<CacheCluster> WholeGroup::Records() const {
  std::vector<CacheCluster> records;
  for (const auto& cluster : clusters) records.push_back(cluster.record);
  return records;
}

std::string WholeGroup::Primary() const {
  if (!shard) return {};
  for (const auto& cluster : clusters) {
    if (cluster.record.IsNodeId(cluster.record.nodes.front(), shard->primary)) {
      return cluster.record.id;
    }
  }
  return {};
}

elasticache::ReplicationGroup WholeGroup::Answer() const {
  elasticache::ReplicationGroup wire = ToWire(group.record);
  AddNodeGroup(group.record, Records(), shard, wire);
  return wire;
}

ApiResult<std::optional<WholeGroup>> WholeGroupOf(const ActionContext& context,
                                                  Stored<ReplicationGroup> group) {
  const CacheStore store(context);
  for (int read = 0; read < kReadsMax; ++read) {
    WholeGroup whole{group, {}, {}};
    bool complete = true;
    for (const std::string& id : group.record.member_clusters) {
      auto member = store.Cluster(id);
      complete = member.ok();
      if (!complete && member.error().code != ApiErrorCode::kCacheClusterNotFound) {
        return member.error();
      }
      if (!complete) break;
      whole.clusters.push_back(std::move(member).value());
    }
    if (complete) {
      ASSIGN_OR_RETURN(whole.shard, store.Shard(group.record));
      return std::optional<WholeGroup>(std::move(whole));
    }
    // A member left between the two reads, or the whole group did.
    auto again = store.Group(group.record.id);
    if (!again.ok()) {
      if (again.error().code != ApiErrorCode::kReplicationGroupNotFoundFault) return again.error();
      return std::optional<WholeGroup>();
    }
    group = std::move(again).value();
  }
  return ApiError{ApiErrorCode::kServiceUnavailable, {}};
}

ApiResult<WholeGroup> FindWholeGroup(const ActionContext& context, std::string_view id) {
  const CacheStore store(context);
  ASSIGN_OR_RETURN(auto group, store.Group(id));
  ASSIGN_OR_RETURN(auto whole, WholeGroupOf(context, std::move(group)));
  if (whole) return std::move(*whole);
  return ApiError{ApiErrorCode::kReplicationGroupNotFoundFault,
                  fmt::format("ReplicationGroup {} not found.", id)};
}

ApiResult<> CheckAvailable(const ReplicationGroup& group) {
  if (group.status == kStatusAvailable) return Ok();
  return ApiError{ApiErrorCode::kInvalidReplicationGroupState,
                  fmt::format("Replication group {} has status {} which is not valid for "
                              "modification.",
                              group.id, group.status)};
}

}  // namespace mikura::control
