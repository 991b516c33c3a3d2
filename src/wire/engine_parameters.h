// SPDX-License-Identifier: Apache-2.0
// The settings of an engine: one row each, used by the engine, the service's parameter groups and
// the documents.
//
// A row is either supported (it names a field of EngineParameters) or known but not built: then it
// is accepted only with values that change nothing, and refused by name otherwise. No setting is
// ever ignored.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace mikura::wire {

// All supported settings, with their defaults. Immutable once published.
struct EngineParameters {
  // Network
  std::string bind = "* -::*";  // addresses, blank-separated; '-' in front: may be unavailable
  int64_t port = 6379;          // 0: no RESP listener
  int64_t tcp_backlog = 511;
  int64_t timeout_seconds = 0;  // 0: idle clients stay
  int64_t tcp_keepalive_seconds = 300;
  int64_t maxclients = 10000;
  bool protected_mode = true;
  std::string unixsocket;  // "": none
  // "class hard-bytes soft-bytes soft-seconds", three classes: see ParseOutputLimits().
  std::string client_output_buffer_limit =
      "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60";
  int64_t tracking_table_max_keys = 1000000;  // 0: no limit
  std::string notify_keyspace_events;         // as EventLetters() of event_letters.h writes them
  uint64_t client_query_buffer_limit_bytes = 1ULL << 30;
  uint64_t proto_max_bulk_len_bytes = 512ULL << 20;

  // TLS. Which files of the node's own, and what a peer has to show.
  int64_t tls_port = 0;            // 0: no RESP listener with TLS
  int64_t memcached_tls_port = 0;  // 0: no memcached listener with TLS
  std::string tls_cert_file;
  std::string tls_key_file;
  std::string tls_key_file_pass;
  std::string tls_client_cert_file;  // of outgoing links; "": the one above
  std::string tls_client_key_file;
  std::string tls_client_key_file_pass;
  std::string tls_dh_params_file;
  std::string tls_ca_cert_file;
  std::string tls_ca_cert_dir;
  std::string tls_auth_clients = "yes";  // no, yes, optional
  bool tls_replication = false;
  std::string port_tls = "off";  // of ports without TLS of their own: off, preferred, required
  std::string tls_protocols;     // "": TLSv1.2 TLSv1.3
  std::string tls_ciphers;
  std::string tls_ciphersuites;
  bool tls_prefer_server_ciphers = false;
  bool tls_session_caching = true;
  int64_t tls_session_cache_size = 20480;
  int64_t tls_session_cache_timeout_seconds = 300;

  // Process
  int64_t threads = 0;  // event loops; 0: one per processor
  int64_t databases = 16;
  std::string dir = ".";
  std::string logfile;  // "": standard error
  std::string loglevel = "notice";
  std::string pidfile;
  std::string enable_debug_command = "no";  // no, yes, local
  std::string admin_socket;                 // Unix socket for the agent; "": none
  std::string node_id;                      // the node's name in the control plane
  std::string shown_version = "7.0.15";     // of Redis, for clients that ask
  std::string shown_valkey_version;         // "": this node is no Valkey
  std::string restricted_commands;          // unknown to clients: "config acl|setuser"

  // Access
  std::string requirepass;
  std::string aclfile;  // users and their rights; "": none
  int64_t acllog_max_len = 128;
  std::string masteruser;
  std::string masterauth;

  // Memory
  uint64_t maxmemory_bytes = 0;  // 0: no limit
  std::string maxmemory_policy = "noeviction";
  int64_t maxmemory_samples = 5;
  int64_t lfu_log_factor = 10;
  int64_t lfu_decay_time_minutes = 1;
  bool activedefrag = true;  // move entries out of sparse spans in the background

  // Replication
  std::string replicaof;  // "host port"; "": primary
  std::string replica_announce_ip;
  int64_t replica_announce_port = 0;
  int64_t repl_timeout_seconds = 60;
  int64_t repl_ping_replica_period_seconds = 10;
  uint64_t repl_backlog_size_bytes = 1ULL << 20;
  int64_t repl_backlog_ttl_seconds = 3600;
  bool repl_diskless_sync = true;
  std::string repl_diskless_load = "disabled";
  int64_t replica_priority = 100;
  bool replica_announced = true;
  int64_t min_replicas_to_write = 0;  // 0: writes need no replica
  int64_t min_replicas_max_lag_seconds = 10;
  std::string durability = "async";  // sync: replies wait for the replicas that are in sync
  int64_t min_in_sync_replicas = 1;  // 0: a primary without any goes on alone
  int64_t in_sync_replica_max_lag_millis = 2000;
  bool in_sync_agreement = false;  // see InSyncSet, S5
  bool replica_serve_stale_data = true;
  bool replica_read_only = true;

  // Persistence
  std::string save;  // "seconds changes seconds changes": see ParseSavePoints(); "": none
  std::string dbfilename = "dump.rdb";
  bool appendonly = false;
  std::string appendfsync = "everysec";  // no, everysec, always
  std::string appendfilename = "appendonly.aof";
  std::string appenddirname = "appendonlydir";
  int64_t auto_aof_rewrite_percentage = 100;  // 0: never
  uint64_t auto_aof_rewrite_min_size_bytes = 64ULL << 20;
  bool aof_load_truncated = true;
  bool aof_timestamp_enabled = false;
  bool aof_use_rdb_preamble = true;
  bool stop_writes_on_bgsave_error = true;
  bool rdbcompression = true;
  bool rdb_del_sync_files = false;
  uint64_t snapshot_backlog_limit_bytes = 64ULL << 20;
  bool rdbchecksum = true;

  // Scripts
  int64_t busy_reply_threshold_millis = 5000;  // 0: never

  // Observation
  int64_t slowlog_log_slower_than_micros = 10'000;  // negative: no slow log
  int64_t slowlog_max_len = 128;
  int64_t commandlog_request_larger_than_bytes = 1 << 20;  // negative: no log
  int64_t commandlog_large_request_max_len = 128;
  int64_t commandlog_reply_larger_than_bytes = 1 << 20;  // negative: no log
  int64_t commandlog_large_reply_max_len = 128;
  int64_t latency_monitor_threshold_millis = 0;  // 0: off
  bool latency_tracking = true;

  // Names of encodings (OBJECT ENCODING)
  int64_t hash_max_listpack_entries = 512;
  int64_t hash_max_listpack_value = 64;
  int64_t set_max_intset_entries = 512;
  int64_t zset_max_listpack_entries = 128;
  int64_t zset_max_listpack_value = 64;
  int64_t list_max_listpack_size = -2;
  int64_t list_compress_depth = 0;
  uint64_t stream_node_max_bytes = 4096;
  int64_t stream_node_max_entries = 100;
  uint64_t hll_sparse_max_bytes = 3000;

  // Memcached protocol
  int64_t memcached_port = 0;  // 0: no memcached listener
  uint64_t memcached_max_item_size_bytes = 1ULL << 20;
};

enum class ParameterKind : uint8_t { kYesNo, kInteger, kBytes, kChoice, kText, kWords };

// Where a supported setting lives; monostate for those not built.
using ParameterField =
    std::variant<std::monostate, bool EngineParameters::*, int64_t EngineParameters::*,
                 uint64_t EngineParameters::*, std::string EngineParameters::*>;

struct ParameterSpec {
  std::string_view name;
  std::string_view alias = {};  // an older name that means the same
  ParameterKind kind = ParameterKind::kText;
  ParameterField field = {};
  int64_t minimum = 0;
  int64_t maximum = INT64_MAX;
  std::string_view choices = {};  // kChoice: "no|yes|local"
  bool runtime = false;           // CONFIG SET may change it
  bool secret = false;            // never shown in logs
  bool accumulates = false;       // another line of the file adds to it; an empty one clears it
  std::string_view unit = {};     // seconds, bytes
  std::string_view summary = {};
  // Not built: the value that is in force, and others that change nothing ("a|b").
  std::string_view fixed_value = {};
  std::string_view also_accepted = {};

  bool supported() const { return !std::holds_alternative<std::monostate>(field); }
};

// All rows, supported ones first.
std::span<const ParameterSpec> AllParameters();

// By name or alias, case-insensitive; null when unknown. Cost: linear in the rows.
const ParameterSpec* FindParameter(std::string_view name);

// Sets the field of `spec` in `parameters` from text. The error is worded as CONFIG SET words it
// ("argument must be 'yes' or 'no'"). For a setting that is not built: Ok when the text is one of
// the values that change nothing.
Status SetParameter(const ParameterSpec& spec, std::string_view text, EngineParameters& parameters);

// The current value as CONFIG GET shows it.
std::string ParameterText(const ParameterSpec& spec, const EngineParameters& parameters);

// Limits on what a client may leave unread; 0: none.
struct OutputLimit {
  uint64_t hard_bytes = 0;
  uint64_t soft_bytes = 0;
  int64_t soft_seconds = 0;
};
struct OutputLimits {
  OutputLimit normal;
  OutputLimit replica;
  OutputLimit pubsub;
};
// Reads groups of four words over `current`: classes that are not named keep their limits.
Result<OutputLimits> ParseOutputLimits(std::string_view text, const OutputLimits& current = {});
std::string OutputLimitsText(const OutputLimits& limits);

// A snapshot is to be saved so many seconds after the last one, if so much has changed by then.
struct SavePoint {
  int64_t seconds;
  int64_t changes;
  bool operator==(const SavePoint&) const = default;
};
Result<std::vector<SavePoint>> ParseSavePoints(std::string_view text);

}  // namespace mikura::wire
