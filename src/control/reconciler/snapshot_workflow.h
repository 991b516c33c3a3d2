// SPDX-License-Identifier: Apache-2.0
// Brings one snapshot from what is desired to what is: made by a node, copied, exported, removed.
//
//   W1. A snapshot holds the data of one run of one node. When that run ends before the file is
//       whole, another node of the shard that holds the same data is asked, or it fails: a node
//       that was started again empty is never taken for its source.
//   W2. A final snapshot that fails cancels the deletion: no data are lost unseen.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/model/snapshot.h"
#include "control/reconciler/inventory.h"
#include "control/reconciler/reconciler_context.h"

namespace mikura::control {

class SnapshotWorkflow {
 public:
  static constexpr int64_t kAttemptsMax = 3;
  // So long it waits for a node that can be asked.
  static constexpr UnixMillis kWaitMax = 60'000;

  explicit SnapshotWorkflow(const ReconcilerContext& context) : context_(context) {}

  // One pass. Returns whether nothing is left to do for now. Errors: the store.
  Result<bool> Step(Loaded<Snapshot>& snapshot, Inventory& inventory);

 private:
  // What a snapshot is made of, as it stands in the inventory.
  struct Source {
    Loaded<ReplicationGroup>* group = nullptr;  // null: a node in no group
    std::vector<Loaded<CacheCluster>*> clusters;
    const ShardState* shard = nullptr;  // of the group
  };

  // Whether the primary of a group that is being deleted has ended: none is chosen in its place any
  // more, and the replicas in sync hold what there is.
  bool IsOrphaned(const Source& source) const;
  // Whether no node holds the data of a source that is being deleted: none is started any more.
  bool IsLost(const Source& source) const;
  std::optional<Source> SourceOf(const Snapshot& snapshot, Inventory& inventory) const;
  Result<bool> Make(Loaded<Snapshot>& snapshot, Inventory& inventory);
  // Chooses the node that is asked.
  Result<bool> Choose(Loaded<Snapshot>& snapshot, Source& source);
  Loaded<CacheCluster>* CandidateOf(const Snapshot& snapshot, const Source& source) const;
  Result<bool> AskAgain(Loaded<Snapshot>& snapshot, Source& source, const std::string& reason);
  Result<bool> Finish(Loaded<Snapshot>& snapshot, Source& source, const SnapshotFile& file);
  Result<bool> Fail(Loaded<Snapshot>& snapshot, Source* source, const std::string& reason);
  Result<bool> Copy(Loaded<Snapshot>& snapshot);
  Result<bool> Export(Loaded<Snapshot>& snapshot);
  Result<bool> Remove(const Loaded<Snapshot>& snapshot);
  // Sets the source free; cancels: a deletion too.
  void Release(Source& source, bool cancels, std::vector<Compare>& compares,
               std::vector<Write>& writes) const;
  Write EventOf(const Snapshot& snapshot, const std::string& message) const;
  Result<bool> Store(const std::vector<Compare>& compares, const std::vector<Write>& writes,
                     bool idle);

  const ReconcilerContext& context_;
};

}  // namespace mikura::control
