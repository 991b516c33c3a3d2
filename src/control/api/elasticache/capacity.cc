// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/capacity.h"

#include <fmt/format.h>

#include "control/api/store_failure.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/cache_cluster.h"
#include "control/model/host_capacity.h"
#include "control/model/node_type.h"

namespace mikura::control {
namespace {

double Gigabytes(int64_t bytes) { return static_cast<double>(bytes) / (1 << 30); }

// What all nodes take that exist or are to exist.
ApiResult<int64_t> PlacedBytes(const ActionContext& context, const HostCapacity& capacity) {
  const auto listed = context.store.List(kAccountsPrefix);
  if (!listed.ok()) return StoreFailure(listed.error());
  int64_t placed = 0;
  for (const KeyValue& kv : *listed) {
    if (!IsCacheClusterKey(kv.key)) continue;
    const auto cluster = CacheClusterFromJson(kv.value);
    if (!cluster.ok()) continue;  // who reads it says so
    const auto type = NodeTypeOf(cluster->node_type);
    if (!type.ok()) continue;
    placed +=
        capacity.BytesOfNode(type->memory_bytes) * static_cast<int64_t>(cluster->nodes.size());
  }
  return placed;
}

}  // namespace

ApiResult<> HoldCapacity(const ActionContext& context, std::string_view node_type, int64_t count,
                         Change& change) {
  const auto stored = context.store.Get(kHostCapacityKey);
  if (!stored.ok()) return StoreFailure(stored.error());
  if (!stored->has_value()) return Ok();
  const auto capacity = HostCapacityFromJson((*stored)->value);
  if (!capacity.ok()) return StoreFailure(capacity.error());
  ASSIGN_OR_RETURN(const NodeType type, NodeTypeOf(node_type));
  ASSIGN_OR_RETURN(const int64_t placed, PlacedBytes(context, *capacity));
  const int64_t wanted = capacity->BytesOfNode(type.memory_bytes) * count;
  if (placed + wanted > capacity->memory_bytes) {
    return ApiError{
        ApiErrorCode::kInsufficientCacheClusterCapacity,
        fmt::format("{} of {} need {:.1f} GiB; the machine has {:.1f} GiB, of which cache nodes "
                    "have {:.1f} GiB. A smaller type fits, or a smaller mikura up --memory-scale.",
                    count == 1 ? "One node" : fmt::format("{} nodes", count), node_type,
                    Gigabytes(wanted), Gigabytes(capacity->memory_bytes), Gigabytes(placed))};
  }
  change.Touch(**stored);
  return Ok();
}

}  // namespace mikura::control
