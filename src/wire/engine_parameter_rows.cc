// SPDX-License-Identifier: Apache-2.0
// The rows of engine_parameters.h: what we support, then what Redis 7.0 has and we have not built.
// Names and defaults: redis.conf of Redis 7.0, compared with a running server in
// tests/protocol/command_oracle_test.py.
#include <limits>

#include "wire/engine_parameters.h"

namespace mikura::wire {
namespace {

using P = EngineParameters;
constexpr int64_t kIntMax = std::numeric_limits<int32_t>::max();
constexpr bool kRuntime = true;
constexpr bool kAtStart = false;
constexpr std::string_view kSeconds = "seconds";
constexpr std::string_view kBytes = "bytes";

constexpr ParameterSpec YesNo(std::string_view name, std::string_view alias, bool P::*field,
                              bool runtime, std::string_view summary) {
  return {.name = name,
          .alias = alias,
          .kind = ParameterKind::kYesNo,
          .field = field,
          .runtime = runtime,
          .summary = summary};
}

constexpr ParameterSpec Number(std::string_view name, std::string_view alias, int64_t P::*field,
                               int64_t minimum, int64_t maximum, bool runtime,
                               std::string_view unit, std::string_view summary) {
  return {.name = name,
          .alias = alias,
          .kind = ParameterKind::kInteger,
          .field = field,
          .minimum = minimum,
          .maximum = maximum,
          .runtime = runtime,
          .unit = unit,
          .summary = summary};
}

constexpr ParameterSpec Memory(std::string_view name, uint64_t P::*field, int64_t minimum,
                               int64_t maximum, bool runtime, std::string_view summary) {
  return {.name = name,
          .kind = ParameterKind::kBytes,
          .field = field,
          .minimum = minimum,
          .maximum = maximum,
          .runtime = runtime,
          .unit = kBytes,
          .summary = summary};
}

constexpr ParameterSpec Text(std::string_view name, std::string_view alias, std::string P::*field,
                             bool runtime, std::string_view summary) {
  return {.name = name,
          .alias = alias,
          .kind = ParameterKind::kText,
          .field = field,
          .runtime = runtime,
          .summary = summary};
}

constexpr ParameterSpec Secret(std::string_view name, std::string P::*field,
                               std::string_view summary) {
  ParameterSpec spec = Text(name, "", field, kRuntime, summary);
  spec.secret = true;
  return spec;
}

constexpr ParameterSpec Words(std::string_view name, std::string_view alias, std::string P::*field,
                              bool runtime, std::string_view summary) {
  ParameterSpec spec = Text(name, alias, field, runtime, summary);
  spec.kind = ParameterKind::kWords;
  return spec;
}

// Each line of the file adds to it.
constexpr ParameterSpec Lines(std::string_view name, std::string P::*field, bool runtime,
                              std::string_view summary) {
  ParameterSpec spec = Words(name, "", field, runtime, summary);
  spec.accumulates = true;
  return spec;
}

constexpr ParameterSpec Choice(std::string_view name, std::string_view choices,
                               std::string P::*field, bool runtime, std::string_view summary) {
  return {.name = name,
          .kind = ParameterKind::kChoice,
          .field = field,
          .choices = choices,
          .runtime = runtime,
          .summary = summary};
}

constexpr ParameterSpec NotBuilt(std::string_view name, std::string_view fixed,
                                 std::string_view alias = {}, std::string_view also = {}) {
  return {.name = name,
          .alias = alias,
          .kind = ParameterKind::kWords,
          .fixed_value = fixed,
          .also_accepted = also};
}

constexpr ParameterSpec kRows[] = {
    // Network
    Words("bind", "", &P::bind, kAtStart, "Addresses to listen on."),
    Number("port", "", &P::port, 0, 65535, kAtStart, "", "Port for RESP clients; 0 for none."),
    Number("tcp-backlog", "", &P::tcp_backlog, 0, kIntMax, kAtStart, "",
           "Connections the kernel queues before they are accepted."),
    Number("timeout", "", &P::timeout_seconds, 0, kIntMax, kRuntime, kSeconds,
           "Idle time after which a client is disconnected; 0 for never."),
    Number("tcp-keepalive", "", &P::tcp_keepalive_seconds, 0, kIntMax, kRuntime, kSeconds,
           "Interval of TCP keepalive probes; 0 for none."),
    Number("maxclients", "", &P::maxclients, 1, 4294967295, kRuntime, "",
           "Connected clients at most."),
    YesNo("protected-mode", "", &P::protected_mode, kRuntime,
          "Without a password, serve clients of this machine only."),
    Text("unixsocket", "", &P::unixsocket, kAtStart, "Path of a Unix socket to listen on."),
    Words("client-output-buffer-limit", "", &P::client_output_buffer_limit, kRuntime,
          "Replies a client may leave unread, by class of client."),
    Memory("client-query-buffer-limit", &P::client_query_buffer_limit_bytes, 1 << 20, INT64_MAX,
           kRuntime, "Longest request that is waited for; the client is closed above it."),
    Memory("proto-max-bulk-len", &P::proto_max_bulk_len_bytes, 1 << 20, INT64_MAX, kRuntime,
           "Longest word of a request, and longest string value."),
    Number("tracking-table-max-keys", "", &P::tracking_table_max_keys, 0, INT64_MAX, kRuntime, "",
           "Keys of which is remembered who caches them; 0 for any number."),
    Text("notify-keyspace-events", "", &P::notify_keyspace_events, kRuntime,
         "What happens to keys and is published, in letters."),
    // TLS
    Number("tls-port", "", &P::tls_port, 0, 65535, kAtStart, "",
           "Port for RESP clients that speak TLS; 0 for none."),
    Number("memcached-tls-port", "", &P::memcached_tls_port, 0, 65535, kAtStart, "",
           "Port for memcached clients that speak TLS; 0 for none."),
    Text("tls-cert-file", "", &P::tls_cert_file, kRuntime,
         "Certificate of this node, with its chain (PEM); setting it reads it anew."),
    Text("tls-key-file", "", &P::tls_key_file, kRuntime, "Private key of tls-cert-file (PEM)."),
    Secret("tls-key-file-pass", &P::tls_key_file_pass, "Password of tls-key-file."),
    Text("tls-client-cert-file", "", &P::tls_client_cert_file, kRuntime,
         "Certificate for links to other nodes; empty for tls-cert-file."),
    Text("tls-client-key-file", "", &P::tls_client_key_file, kRuntime,
         "Private key of tls-client-cert-file (PEM)."),
    Secret("tls-client-key-file-pass", &P::tls_client_key_file_pass,
           "Password of tls-client-key-file."),
    Text("tls-dh-params-file", "", &P::tls_dh_params_file, kRuntime,
         "Parameters for Diffie-Hellman (PEM)."),
    Text("tls-ca-cert-file", "", &P::tls_ca_cert_file, kRuntime,
         "Certificates of the authorities that peers are verified by (PEM)."),
    Text("tls-ca-cert-dir", "", &P::tls_ca_cert_dir, kRuntime,
         "Folder with such certificates, named by their hashes."),
    Choice("tls-auth-clients", "no|yes|optional", &P::tls_auth_clients, kRuntime,
           "Whether clients must show a certificate."),
    YesNo("tls-replication", "", &P::tls_replication, kRuntime,
          "Speak TLS to the primary that is followed."),
    Choice(
        "port-tls", "off|preferred|required", &P::port_tls, kRuntime,
        "TLS on `port` and on the sockets that the agent passes: beside plain clients, or alone."),
    Text("tls-protocols", "", &P::tls_protocols, kRuntime,
         "Versions that are spoken, blank-separated; empty for TLSv1.2 and TLSv1.3."),
    Text("tls-ciphers", "", &P::tls_ciphers, kRuntime, "Ciphers up to TLSv1.2."),
    Text("tls-ciphersuites", "", &P::tls_ciphersuites, kRuntime, "Cipher suites of TLSv1.3."),
    YesNo("tls-prefer-server-ciphers", "", &P::tls_prefer_server_ciphers, kRuntime,
          "Choose the cipher by the order of this node, not of the client."),
    YesNo("tls-session-caching", "", &P::tls_session_caching, kRuntime,
          "Remember sessions, so that clients resume them."),
    Number("tls-session-cache-size", "", &P::tls_session_cache_size, 0, kIntMax, kRuntime, "",
           "Sessions that are remembered; 0 for any number."),
    Number("tls-session-cache-timeout", "", &P::tls_session_cache_timeout_seconds, 0, kIntMax,
           kRuntime, kSeconds, "Time for which a session can be resumed."),
    // Process
    Number("threads", "io-threads", &P::threads, 0, 128, kAtStart, "",
           "Event loops; 0 for one per processor."),
    Number("databases", "", &P::databases, 1, 16384, kAtStart, "", "Numbered databases."),
    Text("dir", "", &P::dir, kAtStart, "Working directory for files."),
    Text("logfile", "", &P::logfile, kAtStart, "File to log to; empty for standard error."),
    Choice("loglevel", "debug|verbose|notice|warning", &P::loglevel, kRuntime,
           "Least important kind of line that is logged."),
    Text("pidfile", "", &P::pidfile, kAtStart, "File that holds the process id while running."),
    Choice("enable-debug-command", "no|yes|local", &P::enable_debug_command, kAtStart,
           "Who may use DEBUG."),
    Text("admin-socket", "", &P::admin_socket, kAtStart,
         "Unix socket on which the agent speaks to this node."),
    Text("node-id", "", &P::node_id, kAtStart, "Name of this node in the control plane."),
    Text("shown-version", "", &P::shown_version, kAtStart,
         "Version of Redis that INFO and HELLO show."),
    Text("shown-valkey-version", "", &P::shown_valkey_version, kAtStart,
         "Version of Valkey that INFO and HELLO show; empty for a node that is none."),
    Words("restricted-commands", "", &P::restricted_commands, kAtStart,
          "Commands and subcommands (acl|setuser) that clients do not have; masteruser has PSYNC."),
    // Access
    Text("aclfile", "", &P::aclfile, kAtStart, "File with the users and their rights."),
    Number("acllog-max-len", "", &P::acllog_max_len, 0, kIntMax, kRuntime, "",
           "Entries of ACL LOG at most."),
    Secret("requirepass", &P::requirepass, "Password of the default user."),
    Text("masteruser", "", &P::masteruser, kRuntime, "User to log in as at the primary."),
    Secret("masterauth", &P::masterauth, "Password to log in with at the primary."),
    // Memory
    Memory("maxmemory", &P::maxmemory_bytes, 0, INT64_MAX, kRuntime,
           "Memory for data; 0 for no limit."),
    Choice("maxmemory-policy",
           "volatile-lru|volatile-lfu|volatile-random|volatile-ttl|allkeys-lru|allkeys-lfu|"
           "allkeys-random|noeviction|allkeys-s3fifo|volatile-s3fifo",
           &P::maxmemory_policy, kRuntime, "Which keys make room when memory is at its limit."),
    Number("maxmemory-samples", "", &P::maxmemory_samples, 1, kIntMax, kRuntime, "",
           "Keys looked at for one that is evicted (LRU, LFU, TTL); above 64 as 64."),
    Number("lfu-log-factor", "", &P::lfu_log_factor, 0, kIntMax, kRuntime, "",
           "How slowly the counter of an LFU policy grows."),
    Number("lfu-decay-time", "", &P::lfu_decay_time_minutes, 0, kIntMax, kRuntime, "minutes",
           "Time in which the counter of an LFU policy loses one; 0 for never."),
    YesNo("activedefrag", "", &P::activedefrag, kRuntime,
          "Move entries out of sparse memory in the background, when 10 % and 2 MiB are wasted."),
    // Replication
    Words("replicaof", "slaveof", &P::replicaof, kAtStart,
          "Host and port of the primary to follow."),
    Text("replica-announce-ip", "slave-announce-ip", &P::replica_announce_ip, kRuntime,
         "Address a replica gives to its primary."),
    Number("replica-announce-port", "slave-announce-port", &P::replica_announce_port, 0, 65535,
           kRuntime, "", "Port a replica gives to its primary; 0 for its own."),
    Number("repl-timeout", "", &P::repl_timeout_seconds, 1, kIntMax, kRuntime, kSeconds,
           "Silence after which a replication link is given up."),
    Number("repl-ping-replica-period", "repl-ping-slave-period",
           &P::repl_ping_replica_period_seconds, 1, kIntMax, kRuntime, kSeconds,
           "Interval of the primary's pings to its replicas."),
    Memory("repl-backlog-size", &P::repl_backlog_size_bytes, 1, INT64_MAX, kRuntime,
           "History kept for replicas that reconnect."),
    Number("repl-backlog-ttl", "", &P::repl_backlog_ttl_seconds, 0, kIntMax, kRuntime, kSeconds,
           "How long that history is kept when no replica is there; 0 for ever."),
    YesNo("repl-diskless-sync", "", &P::repl_diskless_sync, kRuntime,
          "A copy is sent as it is made; else it is made in a file of the folder first."),
    Choice(
        "repl-diskless-load", "disabled|on-empty-db|swapdb", &P::repl_diskless_load, kRuntime,
        "on-empty-db: an empty node loads a copy as it comes. Else it is received in a file of the "
        "folder first, and the old data serve meanwhile, with swapdb too."),
    Number("replica-priority", "slave-priority", &P::replica_priority, 0, kIntMax, kRuntime, "",
           "What INFO says to those who choose a new primary."),
    YesNo("replica-announced", "", &P::replica_announced, kRuntime,
          "Whether INFO says that this replica is to be known to clients."),
    Number("min-replicas-to-write", "min-slaves-to-write", &P::min_replicas_to_write, 0, kIntMax,
           kRuntime, "", "Replicas without which a primary refuses writes; 0 for none."),
    Number("min-replicas-max-lag", "min-slaves-max-lag", &P::min_replicas_max_lag_seconds, 0,
           kIntMax, kRuntime, kSeconds,
           "Silence after which a replica does not count for that; 0 for no refusals."),
    Choice("durability", "async|sync", &P::durability, kRuntime,
           "sync: a reply leaves when the replicas that are in sync have what it tells of."),
    Number("min-in-sync-replicas", "", &P::min_in_sync_replicas, 0, kIntMax, kRuntime, "",
           "With durability sync: replicas in sync without which a primary refuses writes; 0: "
           "without any it goes on alone."),
    Number("in-sync-replica-max-lag", "", &P::in_sync_replica_max_lag_millis, 1, kIntMax, kRuntime,
           "milliseconds",
           "With durability sync: a replica that is behind for longer is not waited for any more."),
    YesNo("in-sync-agreement", "", &P::in_sync_agreement, kRuntime,
          "With durability sync: it is waited for until who keeps the set of the replicas in sync "
          "says on the admin socket that it holds it no more."),
    YesNo("replica-serve-stale-data", "slave-serve-stale-data", &P::replica_serve_stale_data,
          kRuntime, "Answer while the link of a replica to its primary is down."),
    YesNo("replica-read-only", "slave-read-only", &P::replica_read_only, kRuntime,
          "Whether a replica refuses clients' writes; no: what they write stays on that node. Not "
          "with appendonly or durability sync."),
    // Scripts
    Number("busy-reply-threshold", "lua-time-limit", &P::busy_reply_threshold_millis, 0, INT64_MAX,
           kRuntime, "milliseconds",
           "Time after which requests that a script holds up are answered; 0 for never."),
    // Observation
    Number("slowlog-log-slower-than", "commandlog-execution-slower-than",
           &P::slowlog_log_slower_than_micros, -1, INT64_MAX, kRuntime, "microseconds",
           "Commands that take so long are logged; -1 for none."),
    Number("slowlog-max-len", "commandlog-slow-execution-max-len", &P::slowlog_max_len, 0,
           INT64_MAX, kRuntime, "", "Entries of the slow log at most."),
    Number("commandlog-request-larger-than", "", &P::commandlog_request_larger_than_bytes, -1,
           INT64_MAX, kRuntime, "bytes", "Requests of so many bytes are logged; -1 for none."),
    Number("commandlog-large-request-max-len", "", &P::commandlog_large_request_max_len, 0,
           INT64_MAX, kRuntime, "", "Entries of the log of large requests at most."),
    Number("commandlog-reply-larger-than", "", &P::commandlog_reply_larger_than_bytes, -1,
           INT64_MAX, kRuntime, "bytes", "Replies of so many bytes are logged; -1 for none."),
    Number("commandlog-large-reply-max-len", "", &P::commandlog_large_reply_max_len, 0, INT64_MAX,
           kRuntime, "", "Entries of the log of large replies at most."),
    Number("latency-monitor-threshold", "", &P::latency_monitor_threshold_millis, 0, INT64_MAX,
           kRuntime, "milliseconds", "Events that take so long are kept; 0 for none."),
    YesNo("latency-tracking", "", &P::latency_tracking, kRuntime,
          "Count how long each command takes."),
    // Names of encodings
    Number("hash-max-listpack-entries", "hash-max-ziplist-entries", &P::hash_max_listpack_entries,
           0, INT64_MAX, kRuntime, "", "Fields up to which a hash is said to be a listpack."),
    Number("hash-max-listpack-value", "hash-max-ziplist-value", &P::hash_max_listpack_value, 0,
           INT64_MAX, kRuntime, kBytes,
           "Longest field or value of a hash that is said to be a listpack."),
    Number("set-max-intset-entries", "", &P::set_max_intset_entries, 0, INT64_MAX, kRuntime, "",
           "Members up to which a set of integers is said to be an intset."),
    Number("zset-max-listpack-entries", "zset-max-ziplist-entries", &P::zset_max_listpack_entries,
           0, INT64_MAX, kRuntime, "",
           "Members up to which a sorted set is said to be a listpack."),
    Number("zset-max-listpack-value", "zset-max-ziplist-value", &P::zset_max_listpack_value, 0,
           INT64_MAX, kRuntime, kBytes,
           "Longest member of a sorted set that is said to be a listpack."),
    Number("list-max-listpack-size", "list-max-ziplist-size", &P::list_max_listpack_size,
           -kIntMax - 1, kIntMax, kRuntime, "", "Size of a list's nodes in Redis; has no effect."),
    Number("list-compress-depth", "", &P::list_compress_depth, 0, kIntMax, kRuntime, "",
           "Nodes that Redis leaves uncompressed at a list's ends; has no effect."),
    Memory("stream-node-max-bytes", &P::stream_node_max_bytes, 0, INT64_MAX, kRuntime,
           "Bytes of a stream's node, of which approximate trimming removes whole ones."),
    Number("stream-node-max-entries", "", &P::stream_node_max_entries, 0, INT64_MAX, kRuntime, "",
           "Entries of a stream's node, of which approximate trimming removes whole ones."),
    Memory("hll-sparse-max-bytes", &P::hll_sparse_max_bytes, 0, INT64_MAX, kRuntime,
           "Largest sparse form of a HyperLogLog."),
    // Memcached protocol
    Number("memcached-port", "", &P::memcached_port, 0, 65535, kAtStart, "",
           "Port for memcached clients; 0 for none."),
    Memory("memcached-max-item-size", &P::memcached_max_item_size_bytes, 1024, 1LL << 30, kRuntime,
           "Longest value a memcached client may store."),
    // Snapshots
    Lines("save", &P::save, kRuntime, "When a snapshot is saved: seconds and changes, in pairs."),
    Text("dbfilename", "", &P::dbfilename, kRuntime, "Name of the snapshot in dir."),
    YesNo("stop-writes-on-bgsave-error", "", &P::stop_writes_on_bgsave_error, kRuntime,
          "With save points, take no writes while the last snapshot could not be saved."),
    YesNo("rdbcompression", "", &P::rdbcompression, kRuntime, "Compress strings in snapshots."),
    YesNo("rdb-del-sync-files", "", &P::rdb_del_sync_files, kRuntime,
          "Nothing to do: copies for replicas are in files without names, which leave nothing."),
    YesNo("rdbchecksum", "", &P::rdbchecksum, kAtStart, "End snapshots with a checksum."),
    Memory(
        "snapshot-backlog-limit", &P::snapshot_backlog_limit_bytes, 0, INT64_MAX, kRuntime,
        "What snapshots that go to files may hold back before clients' writes wait; 0: no limit."),

    // Append log
    YesNo("appendonly", "", &P::appendonly, kRuntime,
          "Whether each change is written to the append log, which is loaded at the start."),
    Choice("appendfsync", "everysec|always|no", &P::appendfsync, kRuntime,
           "When the append log is synced to the disk: before replies, each second, never."),
    Text("appendfilename", "", &P::appendfilename, kAtStart,
         "What the names of the append log's files begin with."),
    Text("appenddirname", "", &P::appenddirname, kAtStart, "Folder of the append log in dir."),
    Number("auto-aof-rewrite-percentage", "", &P::auto_aof_rewrite_percentage, 0, kIntMax, kRuntime,
           "percent", "Growth of the append log since it was rewritten that makes a rewrite due."),
    Memory("auto-aof-rewrite-min-size", &P::auto_aof_rewrite_min_size_bytes, 0, INT64_MAX, kRuntime,
           "Size of the append log below which no rewrite is due."),
    YesNo("aof-load-truncated", "", &P::aof_load_truncated, kRuntime,
          "Whether an append log that ends within a command is cut there, or refused."),
    YesNo("aof-use-rdb-preamble", "", &P::aof_use_rdb_preamble, kRuntime,
          "Whether a rewrite of the append log writes its base as RDB, or as commands."),
    YesNo("aof-timestamp-enabled", "", &P::aof_timestamp_enabled, kRuntime,
          "Note in the append log the second in which records were written."),

    // Persistence
    NotBuilt("no-appendfsync-on-rewrite", "no"),
    NotBuilt("aof-rewrite-incremental-fsync", "yes"),
    NotBuilt("aof-disable-auto-gc", "no"),
    NotBuilt("aof_rewrite_cpulist", ""),
    NotBuilt("bgsave_cpulist", ""),
    NotBuilt("rdb-save-incremental-fsync", "yes"),
    NotBuilt("sanitize-dump-payload", "no"),
    // Memory and eviction
    NotBuilt("maxmemory-eviction-tenacity", "10"),
    NotBuilt("maxmemory-clients", "0"),
    NotBuilt("key-load-delay", "0"),
    NotBuilt("lazyfree-lazy-eviction", "no"),
    NotBuilt("lazyfree-lazy-expire", "no"),
    NotBuilt("lazyfree-lazy-server-del", "no"),
    NotBuilt("lazyfree-lazy-user-del", "no"),
    NotBuilt("lazyfree-lazy-user-flush", "no"),
    NotBuilt("active-expire-effort", "1"),
    NotBuilt("active-defrag-cycle-min", "1"),
    NotBuilt("active-defrag-cycle-max", "25"),
    NotBuilt("active-defrag-threshold-lower", "10"),
    NotBuilt("active-defrag-threshold-upper", "100"),
    NotBuilt("active-defrag-ignore-bytes", "2097152", "", "2mb|104857600|100mb"),
    NotBuilt("active-defrag-max-scan-fields", "1000"),
    NotBuilt("activerehashing", "yes"),
    NotBuilt("jemalloc-bg-thread", "yes", "", "no"),
    // Publish and subscribe, tracking, scripts, access lists
    NotBuilt("acl-pubsub-default", "resetchannels"),
    NotBuilt("user", ""),
    NotBuilt("rename-command", ""),
    NotBuilt("include", ""),
    NotBuilt("loadmodule", ""),
    // Observation
    NotBuilt("latency-tracking-info-percentiles", "50 99 99.9"),
    NotBuilt("crash-log-enabled", "no", "", "yes"),
    NotBuilt("crash-memcheck-enabled", "no", "", "yes"),
    NotBuilt("syslog-enabled", "no"),
    NotBuilt("syslog-ident", "redis"),
    NotBuilt("syslog-facility", "local0"),
    // Process
    NotBuilt("daemonize", "no"),
    NotBuilt("supervised", "no"),
    NotBuilt("always-show-logo", "no"),
    NotBuilt("set-proc-title", "no", "", "yes"),
    NotBuilt("proc-title-template", "{title} {listen-addr} {server-mode}"),
    NotBuilt("hz", "10"),
    NotBuilt("dynamic-hz", "yes"),
    NotBuilt("io-threads-do-reads", "no"),
    NotBuilt("server_cpulist", ""),
    NotBuilt("bio_cpulist", ""),
    NotBuilt("oom-score-adj", "no"),
    NotBuilt("oom-score-adj-values", "0 200 800"),
    NotBuilt("disable-thp", "yes"),
    NotBuilt("ignore-warnings", ""),
    NotBuilt("enable-protected-configs", "no"),
    NotBuilt("enable-module-command", "no"),
    NotBuilt("shutdown-on-sigint", "default"),
    NotBuilt("shutdown-on-sigterm", "default"),
    NotBuilt("propagation-error-behavior", "ignore"),
    NotBuilt("shutdown-timeout", "10"),
    // Network
    NotBuilt("unixsocketperm", "0"),
    NotBuilt("bind-source-addr", ""),
    NotBuilt("socket-mark-id", "0"),
    NotBuilt("tls-cluster", "no"),
    // Replication
    NotBuilt("replica-ignore-maxmemory", "yes", "slave-ignore-maxmemory"),
    NotBuilt("replica-ignore-disk-write-errors", "no"),
    NotBuilt("replica-lazy-flush", "no", "slave-lazy-flush"),
    NotBuilt("repl-diskless-sync-delay", "5", "", "0"),
    NotBuilt("repl-diskless-sync-max-replicas", "0"),
    NotBuilt("repl-disable-tcp-nodelay", "no"),
    // Cluster
    NotBuilt("cluster-enabled", "no"),
    NotBuilt("cluster-config-file", "nodes.conf"),
    NotBuilt("cluster-node-timeout", "15000"),
    NotBuilt("cluster-port", "0"),
    NotBuilt("cluster-announce-ip", ""),
    NotBuilt("cluster-announce-port", "0"),
    NotBuilt("cluster-announce-tls-port", "0"),
    NotBuilt("cluster-announce-bus-port", "0"),
    NotBuilt("cluster-announce-hostname", ""),
    NotBuilt("cluster-preferred-endpoint-type", "ip"),
    NotBuilt("cluster-migration-barrier", "1"),
    NotBuilt("cluster-require-full-coverage", "yes"),
    NotBuilt("cluster-replica-no-failover", "no", "cluster-slave-no-failover"),
    NotBuilt("cluster-replica-validity-factor", "10", "cluster-slave-validity-factor"),
    NotBuilt("cluster-allow-reads-when-down", "no"),
    NotBuilt("cluster-allow-pubsubshard-when-down", "yes"),
    NotBuilt("cluster-allow-replica-migration", "yes"),
    NotBuilt("cluster-link-sendbuf-limit", "0"),
};

}  // namespace

std::span<const ParameterSpec> AllParameters() { return kRows; }

}  // namespace mikura::wire
