// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/log_workflow.h"

#include <fmt/format.h>

#include <utility>

#include "control/metadata/metadata_keys.h"

namespace mikura::control {
namespace {

void SetStatus(LogDelivery& delivery, std::string_view status, std::string message) {
  delivery.status = status;
  delivery.message = std::move(message);
}

}  // namespace

Result<bool> LogWorkflow::Step(Inventory& inventory) {
  std::map<std::string, const Loaded<ReplicationGroup>*> groups;  // by shard
  for (const auto& group : inventory.groups) groups[group.record.ShardKey()] = &group;
  std::map<std::string, SeenByType> seen;  // by key of the record
  for (const auto& [id, node] : inventory.nodes) {
    if (!node.shard.empty()) {
      const auto group = groups.find(node.shard);
      if (group == groups.end()) continue;
      Tell(node, group->second->record.log_deliveries, seen[group->second->kv.key]);
      continue;
    }
    const std::string key = CacheClusterKey(node.account, node.region, node.cluster_id);
    const auto cluster = inventory.clusters.find(key);
    if (cluster == inventory.clusters.end()) continue;
    Tell(node, cluster->second.record.log_deliveries, seen[key]);
  }
  bool idle = true;
  for (auto& group : inventory.groups) {
    ASSIGN_OR_RETURN(const bool settled, Note(group, seen[group.kv.key]));
    idle = idle && settled;
  }
  for (auto& [key, cluster] : inventory.clusters) {
    ASSIGN_OR_RETURN(const bool settled, Note(cluster, seen[key]));
    idle = idle && settled;
  }
  return idle;
}

void LogWorkflow::Tell(const NodeSpec& node, const std::vector<LogDelivery>& deliveries,
                       SeenByType& seen) {
  std::vector<LogTarget> targets;
  for (const LogDelivery& delivery : deliveries) {
    if (delivery.status != kLogDisabling) targets.push_back(LogTargetOf(delivery, node));
  }
  const std::vector<LogDeliveryState> states = context_.runtime.DeliverLogs(node.id, targets);
  for (size_t i = 0; i < targets.size(); ++i) {
    Seen& of_type = seen[targets[i].log_type];
    of_type.begun = of_type.begun && states[i].begun;
    if (of_type.error.empty() && !states[i].error.empty()) {
      of_type.error = fmt::format("{}: {}", node.cluster_id, states[i].error);
    }
  }
}

template <typename Record>
Result<bool> LogWorkflow::Note(Loaded<Record>& record, const SeenByType& seen) {
  const std::vector<LogDelivery> before = record.record.log_deliveries;
  if (before.empty()) return true;
  std::vector<LogDelivery>& deliveries = record.record.log_deliveries;
  std::erase_if(deliveries, [](const LogDelivery& each) { return each.status == kLogDisabling; });
  for (LogDelivery& delivery : deliveries) {
    const auto found = seen.find(delivery.log_type);
    if (found == seen.end()) continue;  // it has no nodes yet
    if (!found->second.error.empty()) {
      SetStatus(delivery, kLogError, found->second.error);
    } else if (found->second.begun) {
      SetStatus(delivery, kLogActive, "");
    }
  }
  if (deliveries == before) return AreSettled(deliveries);
  const std::string text = ToJson(record.record);
  const auto stored =
      context_.store.Transact({record.Unchanged()}, {Write::Put(record.kv.key, text)});
  if (!stored.ok() || !*stored) {
    deliveries = before;
    RETURN_IF_ERROR(stored);
    return false;  // it was changed meanwhile: the next pass reads it again
  }
  record.kv.value = text;
  record.kv.mod_revision = **stored;
  return AreSettled(deliveries);
}

}  // namespace mikura::control
