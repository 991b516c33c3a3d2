// SPDX-License-Identifier: Apache-2.0
#include "control/model/replica_count.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/numbers.h"
#include "control/model/identifiers.h"

namespace mikura::control {
namespace {

ApiError Value(std::string message) {
  return {ApiErrorCode::kInvalidParameterValue, std::move(message)};
}

ApiError Combination(std::string message) {
  return {ApiErrorCode::kInvalidParameterCombination, std::move(message)};
}

// How many replicas are asked for, and in which zones; nullopt when only names were given.
ApiResult<std::optional<ShardReplicas>> TargetOf(const AskedReplicas& asked) {
  if (!asked.apply_immediately) {
    return Value("ApplyImmediately must be true: the number of replicas is changed at once.");
  }
  if (asked.count && !asked.shards.empty()) {
    return Combination("NewReplicaCount and ReplicaConfiguration exclude each other.");
  }
  for (const ShardReplicas& shard : asked.shards) {
    if (shard.shard != kOnlyShard) {
      return ApiError{ApiErrorCode::kNodeGroupNotFoundFault,
                      fmt::format("The node group {} does not exist.", shard.shard)};
    }
  }
  if (asked.shards.size() > 1) return Value("ReplicaConfiguration names node group 0001 twice.");
  if (!asked.shards.empty()) return std::optional<ShardReplicas>(asked.shards.front());
  if (!asked.count) return std::optional<ShardReplicas>();
  return std::optional<ShardReplicas>({std::string(kOnlyShard), *asked.count, {}});
}

// "demo-003" of group "demo": 3; 0 for any other name.
int64_t OrdinalOf(const ReplicationGroup& group, const std::string& cluster_id) {
  const size_t begin = group.id.size() + 1;
  if (cluster_id.size() <= begin) return 0;
  size_t digits = begin;
  while (digits + 1 < cluster_id.size() && cluster_id[digits] == '0') ++digits;
  return ParseInt64(cluster_id.substr(digits)).value_or(0);
}

// Those asked for that the group does not cover yet, or else the emptiest of all.
ApiResult<std::vector<std::string>> ZonesOfNew(const ShardReplicas& target,
                                               const GroupMembers& members, size_t count,
                                               const CreationContext& context) {
  std::vector<std::string> wanted = target.zones;
  if (!wanted.empty() && wanted.size() != static_cast<size_t>(target.count) + 1) {
    return Combination(
        fmt::format("PreferredAvailabilityZones must name one zone for the primary and each of the "
                    "{} replicas.",
                    target.count));
  }
  for (const std::string& zone : wanted) {
    if (std::find(context.zones.begin(), context.zones.end(), zone) != context.zones.end()) {
      continue;
    }
    return Value(fmt::format("{} is not a valid availability zone here.", zone));
  }
  std::vector<std::string> used;
  for (const CacheCluster& cluster : members.clusters) used.push_back(cluster.PreferredZone());
  if (!wanted.empty()) {
    for (const std::string& zone : used) {
      const auto found = std::find(wanted.begin(), wanted.end(), zone);
      if (found == wanted.end()) {
        return Combination(fmt::format(
            "PreferredAvailabilityZones must include the zones of the nodes that there are; {} is "
            "missing.",
            zone));
      }
      wanted.erase(found);
    }
    return wanted;
  }
  while (wanted.size() < count) {
    const auto uses = [&](const std::string& zone) {
      return std::count(used.begin(), used.end(), zone);
    };
    wanted.push_back(
        *std::min_element(context.zones.begin(), context.zones.end(),
                          [&](const auto& a, const auto& b) { return uses(a) < uses(b); }));
    used.push_back(wanted.back());
  }
  return wanted;
}

CacheCluster MemberLike(const CacheCluster& model, std::string id, std::string zone,
                        const CreationContext& context) {
  CacheCluster member = model;
  member.id = std::move(id);
  member.incarnation = context.incarnation;
  member.status = kStatusCreating;
  member.created_at = context.now;
  member.nodes = {{.id = FourDigits(1),
                   .zone = std::move(zone),
                   .status = std::string(kStatusCreating),
                   .created_at = context.now}};
  return member;
}

ApiResult<> CheckRemoved(const std::vector<std::string>& ids, const GroupMembers& members) {
  for (const std::string& id : ids) {
    const bool is_member =
        std::any_of(members.clusters.begin(), members.clusters.end(),
                    [&](const CacheCluster& cluster) { return cluster.id == id; });
    if (!is_member) {
      return Value(fmt::format("The replica {} to remove is not in replication group {}.", id,
                               members.group.id));
    }
    if (id == members.primary) {
      return Value(
          fmt::format("The cache cluster {} is the primary; only replicas can be removed.", id));
    }
    if (std::count(ids.begin(), ids.end(), id) > 1) {
      return Value(fmt::format("ReplicasToRemove names {} twice.", id));
    }
  }
  return Ok();
}

// Those that are not needed for one node in each of `zones`. Errors: they cannot be had so.
ApiResult<std::vector<std::string>> RemovedOutside(std::vector<std::string> zones,
                                                   const GroupMembers& members, size_t count) {
  const auto take = [&](const CacheCluster& cluster) {
    const auto found = std::find(zones.begin(), zones.end(), cluster.PreferredZone());
    if (found == zones.end()) return false;
    zones.erase(found);
    return true;
  };
  std::vector<std::string> removed;
  for (const CacheCluster& cluster : members.clusters) {
    if (cluster.id == members.primary && !take(cluster)) {
      return Combination("PreferredAvailabilityZones must include the zone of the primary.");
    }
  }
  for (const CacheCluster& cluster : members.clusters) {
    if (cluster.id != members.primary && !take(cluster)) removed.push_back(cluster.id);
  }
  if (removed.size() == count) return removed;
  return Combination(
      "PreferredAvailabilityZones must name the zones of the primary and of the replicas that "
      "remain.");
}

// From the youngest on; with Multi-AZ the last one in another zone than the primary's stays.
std::vector<std::string> ChooseRemoved(const GroupMembers& members, size_t count) {
  std::string primary_zone;
  size_t elsewhere = 0;
  for (const CacheCluster& cluster : members.clusters) {
    if (cluster.id == members.primary) primary_zone = cluster.PreferredZone();
  }
  for (const CacheCluster& cluster : members.clusters) {
    if (cluster.PreferredZone() != primary_zone) ++elsewhere;
  }
  std::vector<std::string> removed;
  for (size_t i = members.clusters.size(); i-- > 0 && removed.size() < count;) {
    const CacheCluster& cluster = members.clusters[i];
    if (cluster.id == members.primary) continue;
    if (cluster.PreferredZone() != primary_zone) {
      if (members.group.multi_az && elsewhere == 1) continue;
      --elsewhere;
    }
    removed.push_back(cluster.id);
  }
  return removed;
}

}  // namespace

ApiResult<std::vector<CacheCluster>> PlanIncrease(const AskedReplicas& asked,
                                                  const GroupMembers& members,
                                                  const CreationContext& context) {
  ASSIGN_OR_RETURN(const std::optional<ShardReplicas> target, TargetOf(asked));
  if (!target) {
    return Combination("Either NewReplicaCount or ReplicaConfiguration must be given.");
  }
  const auto now = static_cast<int64_t>(members.clusters.size()) - 1;
  if (target->count < 1 || target->count > kReplicasMax) {
    return Value(fmt::format("NewReplicaCount must be between 1 and {}.", kReplicasMax));
  }
  if (target->count == now) {
    return ApiError{
        ApiErrorCode::kNoOperationFault,
        fmt::format("Replication group {} has {} replicas already.", members.group.id, now)};
  }
  if (target->count < now) {
    return Value(
        fmt::format("NewReplicaCount must be greater than the {} replicas that there are.", now));
  }
  const auto added = static_cast<size_t>(target->count - now);
  ASSIGN_OR_RETURN(const std::vector<std::string> zones,
                   ZonesOfNew(*target, members, added, context));
  int64_t ordinal = 0;
  for (const CacheCluster& cluster : members.clusters) {
    ordinal = std::max(ordinal, OrdinalOf(members.group, cluster.id));
  }
  std::vector<CacheCluster> joining;
  for (const std::string& zone : zones) {
    joining.push_back(MemberLike(members.clusters.front(),
                                 MemberClusterId(members.group.id, ++ordinal), zone, context));
  }
  return joining;
}

ApiResult<std::vector<std::string>> PlanDecrease(const AskedReplicas& asked,
                                                 const GroupMembers& members) {
  ASSIGN_OR_RETURN(const std::optional<ShardReplicas> target, TargetOf(asked));
  if (!target && asked.to_remove.empty()) {
    return Combination("NewReplicaCount, ReplicaConfiguration or ReplicasToRemove must be given.");
  }
  std::vector<std::string> named;
  for (const std::string& id : asked.to_remove) named.push_back(ToLower(id));
  const auto now = static_cast<int64_t>(members.clusters.size()) - 1;
  const int64_t count = target ? target->count : now - static_cast<int64_t>(named.size());
  const bool needs_one = members.group.automatic_failover || members.group.multi_az;
  if (target && target->count == now) {
    return ApiError{
        ApiErrorCode::kNoOperationFault,
        fmt::format("Replication group {} has {} replicas already.", members.group.id, now)};
  }
  RETURN_IF_ERROR(CheckRemoved(named, members));
  if (count > now || count < 0) {
    return Value(
        fmt::format("NewReplicaCount must be between 0 and the {} replicas that there are.", now));
  }
  if (needs_one && count < 1) {
    return Value("With automatic failover or Multi-AZ enabled at least one replica must remain.");
  }
  if (!named.empty() && now - count != static_cast<int64_t>(named.size())) {
    return Combination(fmt::format(
        "ReplicasToRemove names {} replicas, but NewReplicaCount asks for {} to be removed.",
        named.size(), now - count));
  }
  if (!named.empty()) return named;
  if (target && !target->zones.empty()) {
    return RemovedOutside(target->zones, members, static_cast<size_t>(now - count));
  }
  return ChooseRemoved(members, static_cast<size_t>(now - count));
}

}  // namespace mikura::control
