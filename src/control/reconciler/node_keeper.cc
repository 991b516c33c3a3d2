// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/node_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/engine_version.h"
#include "control/reconciler/event_log.h"
#include "control/reconciler/parameter_plan.h"

namespace mikura::control {
namespace {

constexpr char kStarting[] = "starting";
constexpr char kRunning[] = "running";
constexpr char kRestarting[] = "restarting";
constexpr char kFailing[] = "failing";
// From so many ends in a row on, a node counts as failing rather than restarting.
constexpr int kFailingFrom = 3;

MonotonicNanos Nanos(std::chrono::milliseconds time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

// None after the first end in a row, then doubling up to the limit.
MonotonicNanos PauseAfter(int failures, const ReconcilerTimings& timings) {
  if (failures <= 1) return 0;
  std::chrono::milliseconds pause = timings.restart_pause;
  for (int i = 2; i < failures && pause < timings.restart_pause_max; ++i) pause *= 2;
  return Nanos(std::min(pause, timings.restart_pause_max));
}

NodeLaunch LaunchOf(const NodeSpec& spec, const Endpoint& primary) {
  const auto kind = EngineKindOf(spec.engine);
  return {.id = spec.id,
          .kind = kind.ok() ? *kind : EngineKind::kRedis,
          .engine_version = spec.engine_version,
          .endpoint = spec.endpoint,
          .memory_bytes = spec.memory_bytes,
          .threads = spec.threads,
          .primary = primary,
          .settings = {},
          .data_source = spec.data_source,
          .serves_tls = spec.serves_tls};
}

}  // namespace

Status NodeKeeper::Load(const NodeSpec& spec, Memory& memory) {
  if (memory.loaded) return Ok();
  ASSIGN_OR_RETURN(const std::optional<KeyValue> kv, context_.store.Get(NodeStatusKey(spec.id)));
  if (kv) {
    auto status = NodeStatusFromJson(kv->value);
    if (status.ok()) memory.status = std::move(status).value();
  }
  memory.loaded = true;
  return Ok();
}

Result<NodeObservation> NodeKeeper::Look(const NodeSpec& spec) {
  Memory& memory = nodes_[spec.id];
  RETURN_IF_ERROR(Load(spec, memory));
  NodeObservation seen = context_.runtime.Observe(spec.id);
  if (seen.Gone()) {
    // A node that was never started is not down, nor is one that somebody was about to start.
    const bool awaits_start =
        memory.status.state.empty() ||
        (memory.status.state == kStarting && seen.process == NodeObservation::Process::kAbsent);
    if (!memory.down && !awaits_start) {
      RETURN_IF_ERROR(NoteDown(
          spec, memory, seen.exit_reason.empty() ? "its process is gone" : seen.exit_reason));
    }
    return seen;
  }
  memory.down = false;
  // A node that loads its data does not run yet.
  if (!seen.answering || seen.loading) return seen;
  const MonotonicNanos now = context_.clock.NowNanos();
  if (memory.running_since == 0) memory.running_since = now;
  if (memory.status.state != kRunning) RETURN_IF_ERROR(NoteRunning(spec, memory));
  if (now - memory.running_since >= Nanos(context_.timings.stable_after)) memory.failures = 0;
  return seen;
}

std::string NodeKeeper::FailureOf(const NodeSpec& spec) const {
  const auto found = nodes_.find(spec.id);
  if (found == nodes_.end() || found->second.status.state != kFailing) return "";
  return found->second.status.detail;
}

Status NodeKeeper::NoteDown(const NodeSpec& spec, Memory& memory, const std::string& reason) {
  const MonotonicNanos now = context_.clock.NowNanos();
  if (memory.running_since != 0 &&
      now - memory.running_since >= Nanos(context_.timings.stable_after)) {
    memory.failures = 0;
  }
  const std::optional<WantedEnd> wanted = std::exchange(memory.wanted, std::nullopt);
  memory.failures = wanted ? 0 : memory.failures + 1;
  memory.down = true;
  memory.running_since = 0;
  memory.start_after = now + PauseAfter(memory.failures, context_.timings);
  Log(wanted ? LogLevel::kNotice : LogLevel::kWarning, "reconciler", "node {} is down: {}", spec.id,
      reason);
  memory.status.state = wanted == WantedEnd::kRestarts    ? kStarting
                        : memory.failures >= kFailingFrom ? kFailing
                                                          : kRestarting;
  memory.status.detail = reason;
  return Store(spec, memory, {});
}

Status NodeKeeper::NoteRecovering(const NodeSpec& spec, Memory& memory) {
  const bool was_down = memory.status.state == kRestarting || memory.status.state == kFailing;
  if (!was_down || memory.status.recovering) return Ok();
  memory.status.recovering = true;
  return Store(
      spec, memory,
      {context_.events.OfCluster(spec.account, spec.region, spec.cluster_id,
                                 fmt::format("Recovering cache nodes {}", spec.cache_node_id))});
}

Status NodeKeeper::NoteWantedEnd(const NodeSpec& spec, WantedEnd how) {
  Memory& memory = nodes_[spec.id];
  RETURN_IF_ERROR(Load(spec, memory));
  memory.wanted = how;
  const NodeObservation seen = context_.runtime.Observe(spec.id);
  // Else Look() notes it when it has come.
  if (!seen.Gone()) return Ok();
  return NoteDown(spec, memory, seen.exit_reason.empty() ? "it was ended" : seen.exit_reason);
}

Status NodeKeeper::NoteRunning(const NodeSpec& spec, Memory& memory) {
  std::vector<Write> events;
  if (memory.status.state == kRestarting || memory.status.state == kFailing) {
    ++memory.status.restarts;
    events.push_back(context_.events.OfCluster(
        spec.account, spec.region, spec.cluster_id,
        fmt::format("Finished recovery for cache nodes {}{}", spec.cache_node_id, memory.note)));
  }
  Log(LogLevel::kInfo, "reconciler", "node {} answers", spec.id);
  memory.status.state = kRunning;
  memory.status.recovering = false;
  memory.status.detail.clear();
  return Store(spec, memory, std::move(events));
}

Status NodeKeeper::Store(const NodeSpec& spec, Memory& memory, std::vector<Write> events) {
  memory.status.changed_at = context_.clock.NowMillis();
  events.push_back(Write::Put(NodeStatusKey(spec.id), ToJson(memory.status)));
  // Whoever removes the spec removes the status with it: one is not left without the other.
  RETURN_IF_ERROR(context_.store.Transact({Compare::Present(NodeSpecKey(spec.id))}, events));
  return Ok();
}

Status NodeKeeper::EnsureRunning(const NodeSpec& spec, const Endpoint& primary,
                                 const std::string& note) {
  Memory& memory = nodes_[spec.id];
  RETURN_IF_ERROR(Load(spec, memory));
  if (!context_.runtime.Observe(spec.id).Gone()) return Ok();
  if (context_.clock.NowNanos() < memory.start_after) return Ok();
  memory.note = note;
  if (memory.status.state.empty()) {
    memory.status.state = kStarting;
    RETURN_IF_ERROR(Store(spec, memory, {}));
  }
  RETURN_IF_ERROR(NoteRecovering(spec, memory));
  NodeLaunch launch = LaunchOf(spec, primary);
  if (context_.parameters != nullptr) context_.parameters->Complete(launch);
  const Status started = context_.runtime.Start(launch);
  if (!started.ok()) return NoteDown(spec, memory, started.error().message);
  memory.down = false;
  return Ok();
}

}  // namespace mikura::control
