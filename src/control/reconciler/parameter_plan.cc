// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/parameter_plan.h"

#include <algorithm>
#include <utility>

#include "control/metadata/metadata_keys.h"

namespace mikura::control {
namespace {

// The group as it stands in the store. One that is not there cannot be used by a cluster; a
// damaged record must not stop its nodes, so they get the default of their version.
CacheParameterGroup GroupOf(const Inventory& inventory, const CacheCluster& cluster,
                            const std::string& key) {
  const auto found = inventory.parameter_groups.find(key);
  if (found != inventory.parameter_groups.end()) return found->second;
  if (auto standard =
          FindDefaultParameterGroup(cluster.account, cluster.region, cluster.parameter_group)) {
    return std::move(*standard);
  }
  const auto version = EngineVersionOf(cluster.engine, cluster.engine_version);
  auto fallback =
      FindDefaultParameterGroup(cluster.account, cluster.region,
                                version.ok() ? DefaultParameterGroup(*version) : std::string());
  return fallback ? std::move(*fallback) : CacheParameterGroup();
}

}  // namespace

std::shared_ptr<const ParameterPlan::Prepared> ParameterPlan::Prepare(const Inventory& inventory,
                                                                      const CacheCluster& cluster) {
  const std::string key =
      ParameterGroupKey(cluster.account, cluster.region, cluster.parameter_group);
  const auto found = inventory.parameter_groups.find(key);
  std::shared_ptr<const Prepared>& cached = prepared_[key];
  const bool current = cached != nullptr && (found == inventory.parameter_groups.end()
                                                 ? cached->group.IsDefault()
                                                 : found->second.version == cached->group.version);
  if (current) return cached;
  Prepared fresh;
  fresh.group = GroupOf(inventory, cluster, key);
  fresh.settings = EngineSettingsOf(fresh.group);
  cached = std::make_shared<const Prepared>(std::move(fresh));
  return cached;
}

int64_t ParameterPlan::Scaled(int64_t type_bytes) const {
  const auto scaled = static_cast<int64_t>(static_cast<double>(type_bytes) * memory_scale_);
  return std::max<int64_t>(1, scaled);
}

int64_t ParameterPlan::DataBytes(const std::string& node_id, int64_t type_bytes) const {
  const auto found = nodes_.find(node_id);
  if (found == nodes_.end()) return Scaled(type_bytes);
  return DataMemoryBytes(found->second.of_group->group, Scaled(type_bytes));
}

void ParameterPlan::Load(const Inventory& inventory) {
  nodes_.clear();
  for (const auto& [key, cluster] : inventory.clusters) {
    const std::shared_ptr<const Prepared> prepared = Prepare(inventory, cluster.record);
    for (const CacheNode& node : cluster.record.nodes) {
      const std::string id = cluster.record.NodeId(node);
      const auto spec = inventory.nodes.find(id);
      if (spec == inventory.nodes.end()) continue;
      nodes_[id] = {prepared, DataMemoryBytes(prepared->group, Scaled(spec->second.memory_bytes))};
    }
  }
}

void ParameterPlan::Complete(NodeLaunch& launch) const {
  const auto found = nodes_.find(launch.id);
  if (found == nodes_.end()) return;
  launch.memory_bytes = found->second.maxmemory_bytes;
  for (const auto& [name, value] : found->second.of_group->settings) {
    launch.settings[name] = value;
  }
}

}  // namespace mikura::control
