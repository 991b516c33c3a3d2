// SPDX-License-Identifier: Apache-2.0
#include "control/model/node.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/model/record_json.h"

namespace mikura::control {

template <typename Visitor>
void VisitFields(Visitor& visit, NodeSpec& spec) {
  visit("id", spec.id);
  visit("account", spec.account);
  visit("region", spec.region);
  visit("cluster_id", spec.cluster_id);
  visit("cache_node_id", spec.cache_node_id);
  visit("shard", spec.shard);
  visit("engine", spec.engine);
  visit("engine_version", spec.engine_version);
  visit("zone", spec.zone);
  visit("data_source", spec.data_source);
  visit("endpoint", spec.endpoint);
  visit("memory_bytes", spec.memory_bytes);
  visit("threads", spec.threads);
  visit("serves_tls", spec.serves_tls);
}

template <typename Visitor>
void VisitFields(Visitor& visit, NodeStatus& status) {
  visit("state", status.state);
  visit("detail", status.detail);
  visit("recovering", status.recovering);
  visit("restarts", status.restarts);
  visit("changed_at", status.changed_at);
}

template <typename Visitor>
void VisitFields(Visitor& visit, ShardState& state) {
  visit("epoch", state.epoch);
  visit("primary", state.primary);
  visit("members", state.members);
  visit("in_sync", state.in_sync);
  visit("failover_from", state.failover_from);
  visit("hand_to", state.hand_to);
  visit("end_run", state.end_run);
  visit("retired", state.retired);
}

bool ShardState::IsInSync(std::string_view node_id) const {
  return std::find(in_sync.begin(), in_sync.end(), node_id) != in_sync.end();
}

std::string ToJson(const NodeSpec& spec) { return RecordToJson(spec); }
std::string ToJson(const NodeStatus& status) { return RecordToJson(status); }
std::string ToJson(const ShardState& state) { return RecordToJson(state); }

Result<NodeSpec> NodeSpecFromJson(std::string_view text) {
  return RecordFromJson<NodeSpec>("node spec", text);
}

Result<NodeStatus> NodeStatusFromJson(std::string_view text) {
  return RecordFromJson<NodeStatus>("node status", text);
}

Result<ShardState> ShardStateFromJson(std::string_view text) {
  return RecordFromJson<ShardState>("shard state", text);
}

std::string NodeIdOf(std::string_view cluster_id, std::string_view cache_node_id, bool only_node,
                     std::string_view incarnation) {
  if (only_node) return fmt::format("{}-{}", cluster_id, incarnation);
  return fmt::format("{}-{}-{}", cluster_id, cache_node_id, incarnation);
}

}  // namespace mikura::control
