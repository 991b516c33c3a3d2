// SPDX-License-Identifier: Apache-2.0
#include "engine/server/replication_binding.h"

#include <optional>

#include "base/numbers.h"

namespace mikura::engine {
namespace {

// The address other nodes know this one by: the first of `bind`, unless that stands for all.
std::string SourceAddress(const std::string& bind) {
  std::string first = bind.substr(0, bind.find(' '));
  if (first.starts_with('-')) first.erase(0, 1);
  const bool stands_for_all = first == "*" || first == "0.0.0.0" || first.starts_with("::");
  return stands_for_all ? "" : first;
}

}  // namespace

ReplicationSettings ReplicationSettingsOf(const wire::EngineParameters& parameters) {
  ReplicationSettings settings;
  settings.backlog_bytes = parameters.repl_backlog_size_bytes;
  const auto limits = wire::ParseOutputLimits(parameters.client_output_buffer_limit);
  if (limits.ok()) {
    const wire::OutputLimit& replica = limits->replica;
    settings.lag_limits = {replica.hard_bytes, replica.soft_bytes,
                           std::chrono::seconds(replica.soft_seconds)};
  }
  settings.timeout = std::chrono::seconds(parameters.repl_timeout_seconds);
  settings.ping_period = std::chrono::seconds(parameters.repl_ping_replica_period_seconds);
  settings.unread_log_time = std::chrono::seconds(parameters.repl_backlog_ttl_seconds);
  settings.loads_directly_when_empty = parameters.repl_diskless_load == "on-empty-db";
  settings.sends_directly = parameters.repl_diskless_sync;
  settings.priority = parameters.replica_priority;
  settings.is_announced = parameters.replica_announced;
  settings.is_read_only = parameters.replica_read_only;
  settings.replica_lag_max = std::chrono::seconds(parameters.min_replicas_max_lag_seconds);
  settings.min_replicas =
      parameters.min_replicas_max_lag_seconds != 0 ? parameters.min_replicas_to_write : 0;
  settings.is_sync = parameters.durability == "sync";
  settings.sync_lag_max = std::chrono::milliseconds(parameters.in_sync_replica_max_lag_millis);
  settings.in_sync_needed = static_cast<uint32_t>(parameters.min_in_sync_replicas);
  settings.in_sync_by_agreement = parameters.in_sync_agreement;
  settings.primary_user = parameters.masteruser;
  settings.primary_password = parameters.masterauth;
  settings.announce_ip = parameters.replica_announce_ip;
  settings.announce_port = static_cast<int>(parameters.replica_announce_port);
  const bool offers_tls = parameters.tls_replication && parameters.tls_port != 0;
  settings.listening_port = static_cast<int>(offers_tls ? parameters.tls_port : parameters.port);
  settings.uses_tls = parameters.tls_replication;
  settings.source_address = SourceAddress(parameters.bind);
  return settings;
}

ReplicationService::RoleListener SwitchRole(NodeState& node, Keyspace& keyspace,
                                            std::function<void()> unblock_clients,
                                            std::function<void(bool)> hold_writes) {
  return [&node, &keyspace, unblock = std::move(unblock_clients),
          hold = std::move(hold_writes)](const ReplicationService::Role& role) {
    node.loading.store(role.loading, std::memory_order_relaxed);
    node.link_is_up.store(role.is_primary || role.link_is_up, std::memory_order_relaxed);
    node.good_replicas.store(role.good_replicas, std::memory_order_relaxed);
    const bool was_primary = !node.SetReplica(!role.is_primary);
    keyspace.set_may_expire(role.is_primary);
    if (was_primary && !role.is_primary) unblock();
    hold(role.holds_writes);
  };
}

Status FollowConfiguredPrimary(const wire::EngineParameters& parameters,
                               ReplicationService& replication) {
  const std::string& where = parameters.replicaof;
  if (where.empty()) return Ok();
  const size_t blank = where.find(' ');
  const std::optional<int64_t> port =
      blank == std::string::npos ? std::nullopt : ParseInt64(where.substr(blank + 1));
  if (!port) return Error{"replicaof needs a host and a port"};
  return replication.ReplicaOf(where.substr(0, blank), static_cast<int>(*port));
}

}  // namespace mikura::engine
