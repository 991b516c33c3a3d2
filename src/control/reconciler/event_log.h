// SPDX-License-Identifier: Apache-2.0
// Events of the reconciler. An event is a write that goes into the transaction of what it tells,
// so that it is there once if and only if that happened.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "control/metadata/metadata_store.h"
#include "control/model/cache_cluster.h"
#include "control/model/event.h"
#include "control/model/replication_group.h"
#include "control/model/user.h"
#include "control/model/user_group.h"

namespace mikura::control {

struct Inventory;

class EventLog {
 public:
  explicit EventLog(const Clock& clock);

  Write Of(const ReplicationGroup& group, std::string message);
  Write Of(const CacheCluster& cluster, std::string message);
  Write Of(const User& user, std::string message);
  Write Of(const UserGroup& users, std::string message);
  Write OfCluster(const std::string& account, const std::string& region,
                  const std::string& cluster_id, std::string message);

  // Notes which topics clusters have, for events whose writer knows their cluster by its id alone.
  void Load(const Inventory& inventory);

  // Removes events older than 14 days; does something once an hour at most.
  Status Trim(MetadataStore& store);

 private:
  Write WriteOf(Event event);

  const Clock& clock_;
  std::map<std::string, std::string> topics_;  // by key of the cluster: where its events go now
  uint32_t tie_;
  std::optional<MonotonicNanos> trimmed_at_;
};

}  // namespace mikura::control
