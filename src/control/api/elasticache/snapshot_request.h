// SPDX-License-Identifier: Apache-2.0
// What several actions ask of snapshots: a new one of a source, and a restore from one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/api/elasticache/cache_store.h"
#include "control/model/snapshot.h"

namespace mikura::control {

// Checks the name of a new manual snapshot of the source and adds its record to `change`. The
// caller sets the source's active_snapshot to the name that is returned, in the same change.
// source: what Snapshot::SourceId() will be.
// parameter: whose value the name is, for errors.
struct NewSnapshotName {
  std::string_view parameter;
  std::string text;
  Tags tags;
};
// Errors: kInvalidParameterValue, kSnapshotAlreadyExistsFault, kSnapshotQuotaExceededFault.
ApiResult<Snapshot> AddSnapshotOf(const ActionContext& context, const ReplicationGroup& group,
                                  const std::vector<CacheCluster>& members, std::string_view wanted,
                                  const NewSnapshotName& name, Change& change);
ApiResult<Snapshot> AddSnapshotOf(const ActionContext& context, const CacheCluster& cluster,
                                  const NewSnapshotName& name, Change& change);

// Errors: kInvalidParameterValue, kSnapshotAlreadyExistsFault.
ApiResult<std::string> FreeSnapshotName(const ActionContext& context, const NewSnapshotName& name);

// What a new cache is restored from.
struct Restore {
  std::string data_source;                   // empty: from nothing
  std::optional<Stored<Snapshot>> snapshot;  // of which missing parameters are taken

  explicit operator bool() const { return !data_source.empty(); }
  // The snapshot cannot be deleted before the cache that `change` creates has its data.
  void Hold(Change& change) const {
    if (snapshot) change.Touch(snapshot->kv);
  }
};

// Errors: kSnapshotNotFoundFault, kInvalidSnapshotState; kInvalidParameterCombination for both or
// several files; kInvalidParameterValue for a location that is not in the folder of buckets.
ApiResult<Restore> RestoreOf(const ActionContext& context, const std::optional<std::string>& name,
                             const std::vector<std::string>& arns);

// Takes from the snapshot what `asked` (a New...) does not say.
template <typename Asked>
void Inherit(const Restore& restore, Asked& asked) {
  asked.data_source = restore.data_source;
  if (!restore.snapshot) return;
  const Snapshot& snapshot = restore.snapshot->record;
  if (asked.engine.empty()) asked.engine = snapshot.engine;
  if (asked.engine_version.empty() && asked.engine == snapshot.engine) {
    asked.engine_version = snapshot.engine_version;
  }
  if (asked.node_type.empty()) asked.node_type = snapshot.node_type;
  if (!asked.port) asked.port = snapshot.port;
}

// Errors: kInvalidParameterCombination for an engine that is older than the data.
ApiResult<> CheckEngine(const Restore& restore, std::string_view engine,
                        std::string_view engine_version);

// The folder whose folders are buckets; empty when the service has none.
ApiResult<std::string> BucketFolder(const ActionContext& context);

}  // namespace mikura::control
