// SPDX-License-Identifier: Apache-2.0
#include "engine/server/reply_guard.h"

#include <chrono>

namespace mikura::engine {

void ReplyGuard::Set(Reason reason, bool on, std::function<void()> then) {
  MutexLock lock(mutex_);
  reasons_ = on ? reasons_ | reason : reasons_ & ~static_cast<unsigned>(reason);
  node_.holds_replies = (reasons_ & kHolds) != 0;
  loops_.SetGuarded(reasons_ != 0, std::move(then));
}

void BindDurability(wire::ParameterSet& parameters, ReplyGuard& guard, NodeState& node,
                    DurableHorizon& horizon, ReplicationService& replication) {
  replication.SetSyncListener([&](const InSyncSet::State& state) {
    const int64_t patience = parameters.Current()->in_sync_replica_max_lag_millis * 1'000'000;
    node.SetLacksInSync(state.lacks);
    node.held_replies_end.store(state.lost_since != 0 ? state.lost_since + patience : 0,
                                std::memory_order_relaxed);
    horizon.Publish(DurableHorizon::Source::kReplicas, state.durable);
  });
  const bool starts_sync = parameters.Current()->durability == "sync";
  node.is_sync.store(starts_sync, std::memory_order_relaxed);
  if (starts_sync) replication.StartDurability();
  parameters.OnChange("durability", [&](const auto&, const auto& after) -> Status {
    const bool is_sync = after.durability == "sync";
    node.is_sync.store(is_sync, std::memory_order_relaxed);
    // Off: nothing is held back any more before the loops stop looking.
    if (!is_sync) replication.ApplyDurability(false);
    guard.Set(ReplyGuard::kReplicas, is_sync, [&parameters, &replication] {
      if (parameters.Current()->durability == "sync") replication.ApplyDurability(true);
    });
    return Ok();
  });
  for (const std::string_view name :
       {"in-sync-replica-max-lag", "min-in-sync-replicas", "in-sync-agreement"}) {
    parameters.OnChange(name, [&](const auto&, const auto&) -> Status {
      replication.ApplyDurability();
      return Ok();
    });
  }
}

}  // namespace mikura::engine
