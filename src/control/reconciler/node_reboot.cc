// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/node_reboot.h"

#include <fmt/format.h>

#include "control/reconciler/event_log.h"

namespace mikura::control {
namespace {

constexpr std::string_view kStopping = "stopping ";
constexpr std::string_view kStarting = "starting";

}  // namespace

Result<RebootStep> StepReboot(const ReconcilerContext& context, NodeKeeper& keeper,
                              Loaded<CacheCluster>& cluster, CacheNode& node,
                              const NodeSpec& spec) {
  if (node.reboot.empty() || node.reboot == kStarting) return RebootStep::kNone;
  const NodeObservation seen = context.runtime.Observe(spec.id);
  const std::string run = fmt::format("{}{}", kStopping, seen.process_id);
  if (node.reboot == run && !seen.Gone()) {
    context.runtime.Stop(spec.id);
    return RebootStep::kStopping;
  }
  std::vector<Write> writes;
  if (node.reboot == kRebootAsked && !seen.Gone()) {
    node.reboot = run;
  } else {
    if (seen.Gone()) RETURN_IF_ERROR(keeper.NoteWantedEnd(spec, WantedEnd::kRestarts));
    node.reboot = kStarting;
    writes.push_back(
        context.events.Of(cluster.record, fmt::format("Cache node {} shutdown", node.id)));
  }
  writes.push_back(cluster.Put());
  RETURN_IF_ERROR(context.store.Transact({cluster.Unchanged()}, writes));
  return RebootStep::kStored;
}

bool IsEnding(const CacheNode& node) { return !node.reboot.empty() && node.reboot != kStarting; }

Write RebootedEvent(const ReconcilerContext& context, const CacheCluster& cluster,
                    const CacheNode& node) {
  return context.events.Of(cluster, fmt::format("Cache node {} restarted", node.id));
}

bool EndReboot(CacheNode& node) {
  if (node.reboot != kStarting) return false;
  node.reboot.clear();
  return true;
}

}  // namespace mikura::control
