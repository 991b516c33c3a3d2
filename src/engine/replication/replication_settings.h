// SPDX-License-Identifier: Apache-2.0
// The parameters replication looks at; read anew at each use, since CONFIG SET changes them.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "engine/net/tls_context.h"
#include "engine/replication/backlog.h"

namespace mikura::engine {

struct ReplicationSettings {
  size_t backlog_bytes = 1024 * 1024;
  // A replica that is further behind is cut off.
  LagLimits lag_limits;
  std::chrono::milliseconds timeout{60'000};
  std::chrono::milliseconds ping_period{10'000};
  // How long the log goes on without any replica (repl-backlog-ttl).
  std::chrono::milliseconds unread_log_time{3'600'000};
  // A replica that was heard of within that time is a good one; so many are needed for writes.
  std::chrono::seconds replica_lag_max{10};
  int64_t min_replicas = 0;
  // durability sync: see InSyncSet.
  bool is_sync = false;
  std::chrono::milliseconds sync_lag_max{2000};
  uint32_t in_sync_needed = 1;
  bool in_sync_by_agreement = false;
  std::string primary_user;      // masteruser; empty: the default user
  std::string primary_password;  // masterauth; empty: none
  int64_t priority = 100;        // of INFO, for who chooses a new primary
  bool sends_directly = true;    // repl-diskless-sync: a snapshot is sent while it is made
  bool is_announced = true;      // the same
  bool is_read_only = true;      // replica-read-only
  std::string announce_ip;
  int announce_port = 0;  // 0: listening_port
  int listening_port = 0;
  // Address replicas connect from, so that the primary sees each node under its own; may be empty.
  std::string source_address;
  bool uses_tls = false;                  // to the primary that is followed
  std::shared_ptr<const TlsContext> tls;  // for the next link; of the node's TlsContexts
  // repl-diskless-load: a snapshot is loaded as it comes, if there are no data that would be lost
  // when it does not come whole. Else it is received first.
  bool loads_directly_when_empty = false;
  // Folder for snapshots on their way: of a replica that needs to know the length first, and those
  // that are received first.
  std::string folder = ".";
};

using SettingsSource = std::function<ReplicationSettings()>;

}  // namespace mikura::engine
