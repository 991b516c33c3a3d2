// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/parameter_workflow.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/logging.h"
#include "control/metadata/metadata_keys.h"

namespace mikura::control {
namespace {

NodeSettings SettingsOf(const ParameterPlan::Wanted& wanted) {
  NodeSettings settings = wanted.of_group->settings;
  settings[std::string(kMaxMemory)] = std::to_string(wanted.maxmemory_bytes);
  return settings;
}

std::vector<std::string> NamesOf(const NodeSettings& settings) {
  std::vector<std::string> names;
  for (const auto& [name, value] : settings) names.push_back(name);
  return names;
}

bool ActsAtOnce(const CacheParameterGroup& group, const std::string& setting) {
  if (setting == kMaxMemory) return true;
  const auto parameters = ParametersBehind(group, setting);
  return parameters.empty() || parameters.front()->change_type == kImmediate;
}

// Those of `wanted` that the node has otherwise.
NodeSettings Differing(const NodeSettings& wanted, const NodeSettings& actual) {
  NodeSettings differing;
  for (const auto& [name, value] : wanted) {
    const auto found = actual.find(name);
    if (found == actual.end() || found->second != value) differing[name] = value;
  }
  return differing;
}

}  // namespace

Result<bool> ParameterWorkflow::Step() {
  bool idle = true;
  for (const auto& [id, wanted] : plan_.nodes()) {
    const NodeObservation seen = context_.runtime.Observe(id);
    if (!seen.answering) continue;
    const CacheParameterGroup& group = wanted.of_group->group;
    const std::string plan = fmt::format("{} {} {} {}", seen.process_id, group.name, group.version,
                                         wanted.maxmemory_bytes);
    std::string& followed = seen_[id];
    if (followed == plan) continue;
    const Status brought = Bring(id, wanted);
    if (brought.ok()) {
      followed = plan;
      failures_.erase(id);
      continue;
    }
    idle = false;
    std::string& said = failures_[id];
    if (said == brought.error().message) continue;
    said = brought.error().message;
    Log(LogLevel::kWarning, "reconciler", "parameters of node {}: {}", id, said);
  }
  std::erase_if(seen_, [&](const auto& entry) { return plan_.nodes().count(entry.first) == 0; });
  return idle;
}

Status ParameterWorkflow::Bring(const std::string& node_id, const ParameterPlan::Wanted& wanted) {
  const CacheParameterGroup& group = wanted.of_group->group;
  const NodeSettings settings = SettingsOf(wanted);
  const std::vector<std::string> names = NamesOf(settings);
  ASSIGN_OR_RETURN(NodeSettings actual, context_.runtime.Configuration(node_id, names));
  NodeSettings changes = Differing(settings, actual);
  std::erase_if(changes, [&](const auto& each) { return !ActsAtOnce(group, each.first); });
  if (!changes.empty()) {
    RETURN_IF_ERROR(context_.runtime.Configure(node_id, changes));
    ASSIGN_OR_RETURN(actual, context_.runtime.Configuration(node_id, names));
  }
  NodeParameters noted{group.name, group.version, {}};
  for (const auto& [name, value] : Differing(settings, actual)) {
    if (ActsAtOnce(group, name)) {
      return Error{fmt::format("it has another value for {} than it was given", name)};
    }
    for (const ParameterDefinition* parameter : ParametersBehind(group, name)) {
      noted.pending.emplace_back(parameter->name);
    }
  }
  return Note(node_id, noted);
}

Status ParameterWorkflow::Note(const std::string& node_id, const NodeParameters& parameters) {
  const std::string key = NodeParametersKey(node_id);
  ASSIGN_OR_RETURN(const std::optional<KeyValue> stored, context_.store.Get(key));
  const std::string text = ToJson(parameters);
  if (stored && stored->value == text) return Ok();
  // Whoever removes the spec removes this with it: one is not left without the other.
  RETURN_IF_ERROR(
      context_.store.Transact({Compare::Present(NodeSpecKey(node_id))}, {Write::Put(key, text)}));
  return Ok();
}

}  // namespace mikura::control
