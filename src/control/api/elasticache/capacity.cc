// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/capacity.h"

#include <fmt/format.h>

#include <optional>

#include "control/api/store_failure.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/cache_cluster.h"
#include "control/model/host_capacity.h"
#include "control/model/node_type.h"

namespace mikura::control {
namespace {

double Gigabytes(int64_t bytes) { return static_cast<double>(bytes) / (1 << 30); }

// What the cluster's nodes take, and are going to take when they get the type that is pending.
ApiResult<int64_t> BytesOf(const HostCapacity& capacity, const CacheCluster& cluster) {
  ASSIGN_OR_RETURN(NodeType type, NodeTypeOf(cluster.node_type));
  // The nodes of a group are replaced by others, which were held when that was asked for.
  if (cluster.replication_group.empty() && !cluster.pending_node_type.empty()) {
    ASSIGN_OR_RETURN(const NodeType pending, NodeTypeOf(cluster.pending_node_type));
    if (pending.memory_bytes > type.memory_bytes) type = pending;
  }
  return capacity.BytesOfNode(type.memory_bytes) * static_cast<int64_t>(cluster.nodes.size());
}

// What all nodes take that exist or are to exist.
ApiResult<int64_t> PlacedBytes(const ActionContext& context, const HostCapacity& capacity) {
  const auto listed = context.store.List(kAccountsPrefix);
  if (!listed.ok()) return StoreFailure(listed.error());
  int64_t placed = 0;
  for (const KeyValue& kv : *listed) {
    if (!IsCacheClusterKey(kv.key)) continue;
    const auto cluster = CacheClusterFromJson(kv.value);
    if (!cluster.ok()) continue;  // who reads it says so
    const auto bytes = BytesOf(capacity, *cluster);
    if (bytes.ok()) placed += *bytes;
  }
  return placed;
}

// The capacity as it is stored, and what is known of it; nothing when none is known.
struct StoredCapacity {
  KeyValue kv;
  HostCapacity capacity;
};

ApiResult<std::optional<StoredCapacity>> FindCapacity(const ActionContext& context) {
  const auto stored = context.store.Get(kHostCapacityKey);
  if (!stored.ok()) return StoreFailure(stored.error());
  if (!stored->has_value()) return std::optional<StoredCapacity>();
  const auto capacity = HostCapacityFromJson((*stored)->value);
  if (!capacity.ok()) return StoreFailure(capacity.error());
  return std::optional<StoredCapacity>({**stored, *capacity});
}

ApiError NoRoom(const HostCapacity& capacity, std::string_view node_type, int64_t count,
                int64_t wanted, int64_t placed) {
  return {
      ApiErrorCode::kInsufficientCacheClusterCapacity,
      fmt::format("{} of {} need {:.1f} GiB; the machine has {:.1f} GiB, of which cache nodes "
                  "have {:.1f} GiB. A smaller type fits, or a smaller mikura up --memory-scale.",
                  count == 1 ? "One node" : fmt::format("{} nodes", count), node_type,
                  Gigabytes(wanted), Gigabytes(capacity.memory_bytes), Gigabytes(placed))};
}

}  // namespace

ApiResult<> HoldCapacity(const ActionContext& context, std::string_view node_type, int64_t count,
                         Change& change) {
  ASSIGN_OR_RETURN(const auto stored, FindCapacity(context));
  if (!stored) return Ok();
  ASSIGN_OR_RETURN(const NodeType type, NodeTypeOf(node_type));
  ASSIGN_OR_RETURN(const int64_t placed, PlacedBytes(context, stored->capacity));
  const int64_t wanted = stored->capacity.BytesOfNode(type.memory_bytes) * count;
  if (placed + wanted > stored->capacity.memory_bytes) {
    return NoRoom(stored->capacity, node_type, count, wanted, placed);
  }
  change.Touch(stored->kv);
  return Ok();
}

ApiResult<> HoldCapacityForType(const ActionContext& context, const CacheCluster& before,
                                const CacheCluster& after, Change& change) {
  ASSIGN_OR_RETURN(const auto stored, FindCapacity(context));
  if (!stored) return Ok();
  ASSIGN_OR_RETURN(const int64_t placed, PlacedBytes(context, stored->capacity));
  ASSIGN_OR_RETURN(const int64_t held, BytesOf(stored->capacity, before));
  ASSIGN_OR_RETURN(const int64_t wanted, BytesOf(stored->capacity, after));
  if (wanted > held && placed - held + wanted > stored->capacity.memory_bytes) {
    return NoRoom(stored->capacity, after.pending_node_type,
                  static_cast<int64_t>(after.nodes.size()), wanted, placed - held);
  }
  change.Touch(stored->kv);
  return Ok();
}

}  // namespace mikura::control
