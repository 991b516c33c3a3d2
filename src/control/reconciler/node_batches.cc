// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/node_batches.h"

#include <algorithm>
#include <chrono>

#include "control/model/cluster_modification.h"

namespace mikura::control {
namespace {

// At least one, rounded up as ElastiCache does.
int64_t BatchSize(const CacheCluster& cluster) {
  const auto count = static_cast<int64_t>(cluster.nodes.size());
  return std::max<int64_t>(1, (count * cluster.pending_scale.percentage + 99) / 100);
}

}  // namespace

bool NodeBatches::PauseIsOver(const CacheCluster& cluster) {
  const MonotonicNanos now = context_.clock.NowNanos();
  const auto since = pauses_.try_emplace(cluster.ArnOf(), now).first;
  const std::chrono::minutes pause(cluster.pending_scale.interval_minutes);
  if (std::chrono::nanoseconds(now - since->second) < pause) return false;
  pauses_.erase(since);
  return true;
}

Result<bool> NodeBatches::Step(Loaded<CacheCluster>& cluster) {
  CacheCluster& record = cluster.record;
  int64_t waiting = 0;
  int64_t done = 0;
  for (const CacheNode& node : record.nodes) {
    const bool under_way = !node.version_change.empty() &&
                           node.version_change != kVersionChangeWaits &&
                           node.version_change != kVersionChangeDone;
    if (under_way || node.status == kStatusCreating) return false;
    if (node.version_change == kVersionChangeWaits) ++waiting;
    if (node.version_change == kVersionChangeDone) ++done;
  }
  if (waiting == 0 && done == 0) return false;
  if (waiting == 0) {
    TakePendingChange(record);
    for (CacheNode& node : record.nodes) node.version_change.clear();
  } else {
    if (done != 0 && !PauseIsOver(record)) return false;
    int64_t left = BatchSize(record);
    for (CacheNode& node : record.nodes) {
      if (left == 0) break;
      if (node.version_change != kVersionChangeWaits) continue;
      node.version_change = kVersionChangeAsked;
      --left;
    }
  }
  RETURN_IF_ERROR(context_.store.Transact({cluster.Unchanged()}, {cluster.Put()}));
  return true;
}

}  // namespace mikura::control
