// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/version_change.h"

#include <fmt/format.h>

#include <random>
#include <sstream>
#include <utility>

#include "base/logging.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/cluster_modification.h"
#include "control/model/node_type.h"
#include "control/model/snapshot.h"
#include "control/reconciler/event_log.h"
#include "control/reconciler/node_plan.h"
#include "control/reconciler/parameter_plan.h"

namespace mikura::control {
namespace {

using std::chrono_literals::operator""ms;

constexpr std::chrono::milliseconds kHold = 5'000ms;
// A node that was told to stop ends within that time.
constexpr std::chrono::milliseconds kStopTime = 4'000ms;
// A hold that was not renewed for so long may have ended.
constexpr std::chrono::milliseconds kRenewal = 2'500ms;

constexpr std::string_view kSaving = "saving";
constexpr std::string_view kStopping = "stopping";
constexpr std::string_view kLoading = "loading";
constexpr std::string_view kClearing = "clearing";
constexpr std::string_view kNoFile = "-";

struct Phase {
  std::string name;
  std::string run;  // kStopping only
  std::string file;
};

Phase PhaseOf(const CacheNode& node) {
  Phase phase;
  std::istringstream words(node.version_change);
  words >> phase.name;
  if (phase.name == kStopping) words >> phase.run;
  words >> phase.file;
  return phase;
}

// "The engine version was not modified to 7.1.0".
std::string NotModified(const CacheCluster& cluster) {
  const std::string& version = cluster.pending_engine_version;
  const std::string& type = cluster.pending_node_type;
  if (type.empty()) return fmt::format("The engine version was not modified to {}", version);
  if (version.empty()) return fmt::format("The cache node type was not modified to {}", type);
  return fmt::format("The engine version and cache node type were not modified to {} and {}",
                     version, type);
}

std::string NewFile() { return fmt::format("version-{:08x}", std::random_device{}()); }

}  // namespace

Result<VersionChange::Progress> VersionChange::Step(Loaded<CacheCluster>& cluster, CacheNode& node,
                                                    const NodeSpec& spec) {
  if (node.version_change.empty()) return Progress::kNone;
  const Phase phase = PhaseOf(node);
  if (phase.name == kLoading || phase.name == kVersionChangeWaits ||
      phase.name == kVersionChangeDone) {
    return Progress::kNone;
  }
  if (cluster.record.IsMemcached()) return Replace(cluster, node, spec);
  if (phase.name == kClearing) {
    if (phase.file != kNoFile) RETURN_IF_ERROR(context_.runtime.RemoveSnapshot(phase.file));
    node.version_change.clear();
    return Store(cluster, {});
  }
  const NodeObservation seen = context_.runtime.Observe(spec.id);
  if (seen.Gone()) {
    const bool was_stopped = phase.name == kStopping;
    if (was_stopped) {
      RETURN_IF_ERROR(keeper_.NoteWantedEnd(spec, WantedEnd::kRestarts));
    } else {
      RETURN_IF_ERROR(keeper_.Look(spec));
    }
    return Switch(cluster, node, spec, was_stopped);
  }
  // One that hangs is ended by its host.
  if (!seen.answering) return Progress::kWaits;
  return phase.name == kStopping ? Stop(cluster, node, spec, seen)
                                 : Save(cluster, node, spec, seen);
}

Result<VersionChange::Progress> VersionChange::Replace(Loaded<CacheCluster>& cluster,
                                                       CacheNode& node, const NodeSpec& spec) {
  if (!context_.runtime.Observe(spec.id).Gone()) {
    context_.runtime.Stop(spec.id);
    return Progress::kWaits;
  }
  RETURN_IF_ERROR(keeper_.NoteWantedEnd(spec, WantedEnd::kRestarts));
  return Switch(cluster, node, spec, false);
}

Result<VersionChange::Progress> VersionChange::Stop(Loaded<CacheCluster>& cluster, CacheNode& node,
                                                    const NodeSpec& spec,
                                                    const NodeObservation& seen) {
  const Phase phase = PhaseOf(node);
  if (seen.process_id == phase.run) {
    // Once it was told it does not go back: it may not answer any more.
    if (stops_[spec.id].told) return Progress::kWaits;
    const MonotonicNanos now = context_.clock.NowNanos();
    if (StillHolds(spec.id, phase.file)) {
      stops_[spec.id].told = true;
      context_.runtime.Stop(spec.id);
      return Progress::kWaits;
    }
    // It may have been told by the process before this one: then it ends soon.
    MonotonicNanos& doubted_at = stops_[spec.id].doubted_at;
    if (doubted_at == 0) doubted_at = now;
    if (std::chrono::nanoseconds(now - doubted_at) < kStopTime) {
      static_cast<void>(context_.runtime.HoldWrites(spec.id, kHold).ok());
      return Progress::kWaits;
    }
  }
  return BeginAnew(cluster, node, spec);
}

Result<VersionChange::Progress> VersionChange::BeginAnew(Loaded<CacheCluster>& cluster,
                                                         CacheNode& node, const NodeSpec& spec) {
  holds_.erase(spec.id);
  stops_.erase(spec.id);
  RETURN_IF_ERROR(context_.runtime.RemoveSnapshot(PhaseOf(node).file));
  node.version_change = kVersionChangeAsked;
  return Store(cluster, {});
}

Result<VersionChange::Progress> VersionChange::Save(Loaded<CacheCluster>& cluster, CacheNode& node,
                                                    const NodeSpec& spec,
                                                    const NodeObservation& seen) {
  const Phase phase = PhaseOf(node);
  if (phase.name != kSaving) {
    ASSIGN_OR_RETURN(const Progress refused, RefuseTooSmall(cluster, node, spec));
    if (refused != Progress::kNone) return refused;
    if (!context_.runtime.HoldWrites(spec.id, kHold).ok()) return Progress::kWaits;
    const std::string file = NewFile();
    holds_[spec.id] = {file, context_.clock.NowNanos()};
    node.version_change = fmt::format("{} {}", kSaving, file);
    return Store(cluster, {});
  }
  if (!StillHolds(spec.id, phase.file)) return BeginAnew(cluster, node, spec);
  const SnapshotFile file = context_.runtime.SaveSnapshot(spec.id, phase.file, 1);
  if (file.state == SnapshotFile::State::kWorking) return Progress::kWaits;
  if (file.state == SnapshotFile::State::kFailed) return GiveUp(cluster, node, spec, file.error);
  node.version_change = fmt::format("{} {} {}", kStopping, seen.process_id, phase.file);
  return Store(cluster, {});
}

Result<VersionChange::Progress> VersionChange::RefuseTooSmall(Loaded<CacheCluster>& cluster,
                                                              CacheNode& node,
                                                              const NodeSpec& spec) {
  CacheCluster& record = cluster.record;
  const auto next = NodeTypeOf(record.pending_node_type);
  if (!next.ok() || next->memory_bytes >= spec.memory_bytes) return Progress::kNone;
  const auto used = context_.runtime.UsedBytes(spec.id);
  if (!used.ok()) return Progress::kWaits;
  const int64_t room = context_.parameters == nullptr
                           ? next->memory_bytes
                           : context_.parameters->DataBytes(spec.id, next->memory_bytes);
  if (*used <= room) return Progress::kNone;
  const std::string message = fmt::format(
      "The cache node type was not modified to {}: the data take {} bytes, and a node of that type "
      "has {}",
      next->name, *used, room);
  record.pending_node_type.clear();
  if (!record.HasPendingChange()) node.version_change.clear();
  return Store(cluster, {context_.events.Of(record, message)});
}

bool VersionChange::StillHolds(const std::string& node_id, const std::string& file) {
  const auto found = holds_.find(node_id);
  if (found == holds_.end() || found->second.file != file) return false;
  const auto since = std::chrono::nanoseconds(context_.clock.NowNanos() - found->second.renewed_at);
  if (since > kRenewal || !context_.runtime.HoldWrites(node_id, kHold).ok()) {
    holds_.erase(found);
    return false;
  }
  found->second.renewed_at = context_.clock.NowNanos();
  return true;
}

Result<VersionChange::Progress> VersionChange::Switch(Loaded<CacheCluster>& cluster,
                                                      CacheNode& node, const NodeSpec& spec,
                                                      bool loads) {
  holds_.erase(spec.id);
  stops_.erase(spec.id);
  CacheCluster changed = cluster.record;
  TakePendingChange(changed);
  const std::string file = PhaseOf(node).file;
  NodeSpec next = SpecOf(changed, node, "");
  next.data_source = loads ? DataOfSnapshot(file) : "";
  node.version_change = fmt::format("{} {}", kLoading, file.empty() ? kNoFile : file);
  std::vector<Write> writes = {Write::Put(NodeSpecKey(spec.id), ToJson(next))};
  if (changed.IsMemcached()) {
    // The cluster has the change when all its nodes have.
    writes.push_back(context_.events.Of(changed, fmt::format("Cache node {} shutdown", node.id)));
  } else {
    TakePendingChange(cluster.record);
  }
  return Store(cluster, std::move(writes));
}

Result<VersionChange::Progress> VersionChange::GiveUp(Loaded<CacheCluster>& cluster,
                                                      CacheNode& node, const NodeSpec& spec,
                                                      const std::string& why) {
  // One that does not answer lets them go on by itself.
  static_cast<void>(context_.runtime.HoldWrites(spec.id, 0ms).ok());
  holds_.erase(spec.id);
  CacheCluster& record = cluster.record;
  const std::string message =
      fmt::format("{}: the data cannot be saved: {}", NotModified(record), why);
  Log(LogLevel::kWarning, "reconciler", "cluster {}: {}", record.id, message);
  record.pending_node_type.clear();
  record.pending_engine.clear();
  record.pending_engine_version.clear();
  record.pending_parameter_group.clear();
  node.version_change = fmt::format("{} {}", kClearing, PhaseOf(node).file);
  return Store(cluster, {context_.events.Of(record, message)});
}

bool VersionChange::End(CacheCluster& cluster, CacheNode& node) {
  const Phase phase = PhaseOf(node);
  if (phase.name != kLoading) return false;
  node.version_change = cluster.IsMemcached() ? std::string(kVersionChangeDone)
                                              : fmt::format("{} {}", kClearing, phase.file);
  return true;
}

// A lost race is seen by the next pass.
Result<VersionChange::Progress> VersionChange::Store(Loaded<CacheCluster>& cluster,
                                                     std::vector<Write> writes) {
  writes.push_back(cluster.Put());
  RETURN_IF_ERROR(context_.store.Transact({cluster.Unchanged()}, writes));
  return Progress::kStored;
}

}  // namespace mikura::control
