// SPDX-License-Identifier: Apache-2.0
#include "engine/server/replica_wait_list.h"

#include <algorithm>

namespace mikura::engine {

void ReplicaWaitList::SetReplication(ReplicationService& replication) {
  replication_ = &replication;
  replication.SetAckListener([this] { EndReady(); });
}

void ReplicaWaitList::Add(std::shared_ptr<BlockedClient> client, const Goal& goal) {
  {
    MutexLock lock(mutex_);
    if (waits_.size() >= forget_at_) {
      ForgetEnded();
      forget_at_ = std::max<size_t>(64, 2 * waits_.size());
    }
    waits_.push_back({std::move(client), goal});
  }
  // Whatever was acknowledged before it stood in the list is said again.
  if (goal.replicas > 0) replication_->AskForAcks();
  if (goal.on_disk_here) EndReady();
}

// A wait that ended by its time, or with its client, is still here.
void ReplicaWaitList::ForgetEnded() {
  std::erase_if(waits_,
                [](const Wait& wait) { return wait.client->state() != Waiter::State::kWaiting; });
}

void ReplicaWaitList::EndReady() {
  std::vector<std::shared_ptr<BlockedClient>> ended;
  {
    MutexLock lock(mutex_);
    if (waits_.empty()) return;
    ForgetEnded();
    std::erase_if(waits_, [&](Wait& wait) {
      if (!IsReached(wait.goal)) return false;
      // The reply of one that is unblocked is the count, like that of one whose time is up.
      if (wait.client->End(Waiter::State::kUnblocked)) ended.push_back(std::move(wait.client));
      return true;
    });
  }
  for (const auto& client : ended) client->Deliver();
}

}  // namespace mikura::engine
