// SPDX-License-Identifier: Apache-2.0
// The clients in WAIT, looked at whenever a replica has acknowledged something.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "engine/commands/blocking.h"
#include "engine/commands/services.h"
#include "engine/replication/replication_service.h"

namespace mikura::engine {

class ReplicaWaitList final : public ReplicaWaits {
 public:
  // Once, before any client and any replica.
  void SetReplication(ReplicationService& replication);

  int64_t LogEnd() override { return replication_->log_end(); }
  int64_t CountAt(int64_t position, Where where) override {
    return static_cast<int64_t>(replication_->ReplicasAt(position, where == Where::kDisk));
  }
  void Add(std::shared_ptr<BlockedClient> client, int64_t position, Where where,
           int64_t wanted) override;

 private:
  struct Wait {
    std::shared_ptr<BlockedClient> client;  // owned by its session too
    int64_t position;
    Where where;
    int64_t wanted;
  };

  void EndReady();
  void ForgetEnded() REQUIRES(mutex_);

  ReplicationService* replication_ = nullptr;
  Mutex mutex_;
  std::vector<Wait> waits_ GUARDED_BY(mutex_);
  size_t forget_at_ GUARDED_BY(mutex_) = 64;  // so many waits: those that have ended go first
};

}  // namespace mikura::engine
