// SPDX-License-Identifier: Apache-2.0
#include "engine/server/parameter_adapter.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/logging.h"
#include "engine/server/file_limit.h"
#include "wire/event_letters.h"

namespace mikura::engine {
namespace {

LogLevel LevelOf(const std::string& name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "verbose") return LogLevel::kInfo;
  if (name == "warning") return LogLevel::kWarning;
  return LogLevel::kNotice;
}

store::EvictionSettings EvictionSettingsOf(const wire::EngineParameters& current) {
  store::EvictionSettings settings;
  settings.policy =
      store::ParseEvictionPolicy(current.maxmemory_policy).value_or(store::EvictionPolicy{});
  settings.samples = static_cast<uint32_t>(current.maxmemory_samples);
  settings.tracking =
      store::TrackingFor(settings.policy, static_cast<uint32_t>(current.lfu_log_factor),
                         static_cast<uint32_t>(current.lfu_decay_time_minutes));
  return settings;
}

void Apply(const wire::EngineParameters& current, NodeState& node) {
  node.has_password.store(!current.requirepass.empty(), std::memory_order_relaxed);
  node.maxmemory_bytes.store(current.maxmemory_bytes, std::memory_order_relaxed);
  node.maxclients.store(static_cast<uint32_t>(current.maxclients), std::memory_order_relaxed);
  const bool needs_replicas = current.min_replicas_max_lag_seconds != 0;
  node.SetWantedReplicas(needs_replicas ? static_cast<uint32_t>(current.min_replicas_to_write) : 0);
  node.SetReplicasAreReadOnly(current.replica_read_only);
  node.serves_stale.store(current.replica_serve_stale_data, std::memory_order_relaxed);
  node.keepalive_seconds.store(static_cast<int>(current.tcp_keepalive_seconds),
                               std::memory_order_relaxed);
  node.idle_timeout_seconds.store(static_cast<int>(current.timeout_seconds),
                                  std::memory_order_relaxed);
  const auto output = wire::ParseOutputLimits(current.client_output_buffer_limit);
  CHECK(output.ok());  // it was parsed when it was set
  node.output_hard_bytes.store(output->normal.hard_bytes, std::memory_order_relaxed);
  node.output_soft_bytes.store(output->normal.soft_bytes, std::memory_order_relaxed);
  node.output_soft_seconds.store(output->normal.soft_seconds, std::memory_order_relaxed);
  node.subscriber_output_hard_bytes.store(output->pubsub.hard_bytes, std::memory_order_relaxed);
  node.subscriber_output_soft_bytes.store(output->pubsub.soft_bytes, std::memory_order_relaxed);
  node.subscriber_output_soft_seconds.store(output->pubsub.soft_seconds, std::memory_order_relaxed);
  node.query_buffer_bytes_max.store(current.client_query_buffer_limit_bytes,
                                    std::memory_order_relaxed);
  node.bulk_bytes_max.store(static_cast<int64_t>(current.proto_max_bulk_len_bytes),
                            std::memory_order_relaxed);
  SetLogLevel(LevelOf(current.loglevel));
}

void ApplyEncodingLimits(const wire::EngineParameters& current, EncodingLimits& limits) {
  limits.hash_entries.store(current.hash_max_listpack_entries, std::memory_order_relaxed);
  limits.hash_value_bytes.store(current.hash_max_listpack_value, std::memory_order_relaxed);
  limits.set_integers.store(current.set_max_intset_entries, std::memory_order_relaxed);
  limits.zset_entries.store(current.zset_max_listpack_entries, std::memory_order_relaxed);
  limits.zset_value_bytes.store(current.zset_max_listpack_value, std::memory_order_relaxed);
  limits.list_size.store(current.list_max_listpack_size, std::memory_order_relaxed);
  limits.stream_node_bytes.store(static_cast<int64_t>(current.stream_node_max_bytes),
                                 std::memory_order_relaxed);
  limits.stream_node_entries.store(current.stream_node_max_entries, std::memory_order_relaxed);
  limits.hll_sparse_bytes.store(static_cast<int64_t>(current.hll_sparse_max_bytes),
                                std::memory_order_relaxed);
}

void BindAccess(wire::ParameterSet& parameters, AccessControl& control) {
  const auto current = parameters.Current();
  if (!current->requirepass.empty()) control.users().SetDefaultPassword(current->requirepass);
  control.users().log().set_size_max(static_cast<size_t>(current->acllog_max_len));
  parameters.OnChange("requirepass", [&control](const auto&, const auto& after) -> Status {
    control.users().SetDefaultPassword(after.requirepass);
    return Ok();
  });
  parameters.OnChange("acllog-max-len", [&control](const auto&, const auto& after) -> Status {
    control.users().log().set_size_max(static_cast<size_t>(after.acllog_max_len));
    return Ok();
  });
}

}  // namespace

// What a replica's own clients change is in no log, whose positions are those of its primary, and
// goes with the next copy of that one's data.
Status CheckTogether(const wire::EngineParameters& parameters) {
  if (parameters.replica_read_only) return Ok();
  if (parameters.appendonly) {
    return Error{"replica-read-only no and appendonly yes cannot be together"};
  }
  if (parameters.durability == "sync") {
    return Error{"replica-read-only no and durability sync cannot be together"};
  }
  return Ok();
}

void BindNodeState(wire::ParameterSet& parameters, NodeState& node, Services& services) {
  for (const std::string_view name : {"replica-read-only", "appendonly", "durability"}) {
    parameters.OnChange(name, [](const auto&, const auto& after) { return CheckTogether(after); });
  }
  const auto apply = [&node, &services](const wire::EngineParameters& current) {
    Apply(current, node);
    services.string_bytes_max.store(current.proto_max_bulk_len_bytes, std::memory_order_relaxed);
    ApplyEncodingLimits(current, services.encoding_limits);
  };
  apply(*parameters.Current());
  BindAccess(parameters, services.access);
  // Before it is applied: a limit that the system cannot keep is refused.
  parameters.OnChange("maxclients", [](const auto&, const auto& after) -> Status {
    const int64_t possible = RaiseFileLimit(after.maxclients);
    if (possible >= after.maxclients) return Ok();
    return Error{fmt::format(
        "The operating system is not able to handle the specified number of clients, try with {}",
        possible)};
  });
  for (const std::string_view name : {"requirepass",
                                      "maxmemory",
                                      "maxclients",
                                      "tcp-keepalive",
                                      "timeout",
                                      "loglevel",
                                      "client-output-buffer-limit",
                                      "client-query-buffer-limit",
                                      "proto-max-bulk-len",
                                      "hash-max-listpack-entries",
                                      "hash-max-listpack-value",
                                      "set-max-intset-entries",
                                      "zset-max-listpack-entries",
                                      "zset-max-listpack-value",
                                      "list-max-listpack-size",
                                      "stream-node-max-bytes",
                                      "stream-node-max-entries",
                                      "hll-sparse-max-bytes",
                                      "min-replicas-to-write",
                                      "min-replicas-max-lag",
                                      "replica-serve-stale-data",
                                      "replica-read-only"}) {
    parameters.OnChange(name, [apply](const auto&, const auto& after) -> Status {
      apply(after);
      return Ok();
    });
  }
}

void BindObservation(wire::ParameterSet& parameters, Observation& observation) {
  const auto apply = [&observation](const wire::EngineParameters& current) {
    observation.SetThresholds(current.slowlog_log_slower_than_micros,
                              current.latency_monitor_threshold_millis);
    observation.slow_log.set_size_max(static_cast<size_t>(current.slowlog_max_len));
    observation.SetSizeThresholds(current.commandlog_request_larger_than_bytes,
                                  current.commandlog_reply_larger_than_bytes);
    observation.large_requests.set_size_max(
        static_cast<size_t>(current.commandlog_large_request_max_len));
    observation.large_replies.set_size_max(
        static_cast<size_t>(current.commandlog_large_reply_max_len));
    observation.counts_durations.store(current.latency_tracking, std::memory_order_relaxed);
  };
  apply(*parameters.Current());
  for (const std::string_view name :
       {"slowlog-log-slower-than", "slowlog-max-len", "commandlog-request-larger-than",
        "commandlog-large-request-max-len", "commandlog-reply-larger-than",
        "commandlog-large-reply-max-len", "latency-monitor-threshold", "latency-tracking"}) {
    parameters.OnChange(name, [apply](const auto&, const auto& after) -> Status {
      apply(after);
      return Ok();
    });
  }
}

void BindScripts(wire::ParameterSet& parameters, ScriptState& state) {
  const auto apply = [&state](const wire::EngineParameters& current) {
    const int64_t millis = current.busy_reply_threshold_millis;
    state.busy_after_micros.store(millis > 0 ? millis * 1000 : -1, std::memory_order_relaxed);
  };
  apply(*parameters.Current());
  parameters.OnChange("busy-reply-threshold", [apply](const auto&, const auto& after) -> Status {
    apply(after);
    return Ok();
  });
}

void BindEviction(wire::ParameterSet& parameters, Keyspace& keyspace) {
  const auto apply = [&keyspace](const wire::EngineParameters& current) {
    keyspace.evictor().Configure(EvictionSettingsOf(current), current.maxmemory_bytes);
  };
  apply(*parameters.Current());
  for (const std::string_view name :
       {"maxmemory", "maxmemory-policy", "maxmemory-samples", "lfu-log-factor", "lfu-decay-time"}) {
    parameters.OnChange(
        name,
        [apply](const wire::EngineParameters&, const wire::EngineParameters& after) -> Status {
          apply(after);
          return Ok();
        });
  }
}

void BindSaving(wire::ParameterSet& parameters, SnapshotSlots& slots, SnapshotSaver& saver) {
  const auto apply = [&slots, &saver](const wire::EngineParameters& current) {
    slots.compresses.store(current.rdbcompression, std::memory_order_relaxed);
    slots.has_checksum.store(current.rdbchecksum, std::memory_order_relaxed);
    slots.backlog().set_limit(current.snapshot_backlog_limit_bytes);
    const auto points = wire::ParseSavePoints(current.save);
    CHECK(points.ok());  // it was parsed when it was set
    SaveSettings settings{.path = current.dbfilename,
                          .points = {},
                          .stops_writes_on_failure = current.stop_writes_on_bgsave_error};
    for (const wire::SavePoint& point : *points) {
      settings.points.push_back({point.seconds, static_cast<uint64_t>(point.changes)});
    }
    saver.Configure(std::move(settings));
  };
  apply(*parameters.Current());
  for (const std::string_view name : {"save", "dbfilename", "stop-writes-on-bgsave-error",
                                      "rdbcompression", "snapshot-backlog-limit"}) {
    parameters.OnChange(name, [apply](const auto&, const auto& after) -> Status {
      apply(after);
      return Ok();
    });
  }
}

void BindAppendLog(wire::ParameterSet& parameters, AppendLog& append_log) {
  const auto apply = [&append_log](const wire::EngineParameters& current) {
    append_log.Configure({.sync = current.appendfsync == "always" ? LogSync::kAlways
                                  : current.appendfsync == "no"   ? LogSync::kNo
                                                                  : LogSync::kEverySecond,
                          .cuts_tail = current.aof_load_truncated,
                          .notes_time = current.aof_timestamp_enabled,
                          .base_is_rdb = current.aof_use_rdb_preamble,
                          .rewrite_percentage = current.auto_aof_rewrite_percentage,
                          .rewrite_bytes_min = current.auto_aof_rewrite_min_size_bytes});
  };
  apply(*parameters.Current());
  for (const std::string_view name :
       {"appendfsync", "auto-aof-rewrite-percentage", "auto-aof-rewrite-min-size",
        "aof-load-truncated", "aof-timestamp-enabled", "aof-use-rdb-preamble"}) {
    parameters.OnChange(name, [apply](const auto&, const auto& after) -> Status {
      apply(after);
      return Ok();
    });
  }
  parameters.OnChange("appendonly", [apply, &append_log](const auto&, const auto& after) -> Status {
    if (const Status status = append_log.Enable(after.appendonly); !status.ok()) {
      Log(LogLevel::kWarning, "append-log", "{}", status.error().message);
      return Error{"Unable to turn on AOF. Check server logs."};
    }
    apply(after);
    return Ok();
  });
}

void BindTracking(wire::ParameterSet& parameters, ClientTracking& tracking) {
  const auto apply = [&tracking](const wire::EngineParameters& current) {
    tracking.SetKeysMax(static_cast<uint64_t>(current.tracking_table_max_keys));
  };
  apply(*parameters.Current());
  parameters.OnChange("tracking-table-max-keys", [apply](const auto&, const auto& after) -> Status {
    apply(after);
    return Ok();
  });
}

void BindKeyEvents(wire::ParameterSet& parameters, Keyspace& keyspace,
                   KeyEventPublisher& publisher) {
  const auto apply = [&keyspace, &publisher](const wire::EngineParameters& current) {
    const auto bits = wire::ParseEventLetters(current.notify_keyspace_events);
    CHECK(bits.ok());  // it was parsed when it was set
    keyspace.set_event_mask(publisher.Configure(*bits));
  };
  keyspace.SetEventSink(&publisher);
  apply(*parameters.Current());
  parameters.OnChange("notify-keyspace-events", [apply](const auto&, const auto& after) -> Status {
    apply(after);
    return Ok();
  });
}

void BindDefragmentation(wire::ParameterSet& parameters, Keyspace& keyspace) {
  keyspace.set_defragments(parameters.Current()->activedefrag);
  parameters.OnChange("activedefrag", [&keyspace](const auto&, const auto& after) -> Status {
    keyspace.set_defragments(after.activedefrag);
    return Ok();
  });
}

}  // namespace mikura::engine
