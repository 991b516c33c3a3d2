// SPDX-License-Identifier: Apache-2.0
// What memcached commands need of the server around them. Declared here, implemented in
// engine/server.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "engine/commands/client_state.h"
#include "engine/commands/memcached_class_counters.h"
#include "engine/commands/memcached_expired_keys.h"
#include "engine/commands/memcached_flushed_keys.h"
#include "engine/commands/memcached_observation.h"
#include "engine/commands/memcached_prefixes.h"
#include "engine/commands/memcached_tuning.h"
#include "engine/commands/memcached_watchers.h"
#include "engine/commands/output_source.h"
#include "engine/keyspace/key_access.h"
#include "wire/memcached_parser.h"
#include "wire/output_buffer.h"

namespace mikura::engine {

// Settings that hold while a request runs; a copy or a reference, as the server likes.
struct MemcachedSettings {
  bool has_snapshot = true;                // a file is loaded at the start (memcached -e)
  size_t item_size_max = size_t{1} << 20;  // of an entry with its overhead (memcached -I)
  bool flush_all_enabled = true;           // memcached -F turns it off
  bool shutdown_enabled = false;           // memcached -A turns it on
  bool evictions = true;                   // memcached -M turns them off
  bool limits_items_only = false;          // the memory limit is memcached's -m
  int port = 11211;
  int backlog = 1024;
  int threads = 1;
  int verbosity = 0;
  uint32_t connections_max = 1024;
  wire::MemcachedProtocol protocol = wire::MemcachedProtocol::kAuto;  // memcached -B
  std::string sasl_file;        // passwords for the binary protocol (memcached -S); empty: none
  std::string auth_file;        // passwords for the text protocol (memcached -Y); empty: none
  bool cas_enabled = true;      // memcached -C turns it off
  bool dump_enabled = true;     // memcached -X turns it off
  bool watch_enabled = true;    // memcached -W turns it off
  bool detail_enabled = false;  // statistics per prefix from the start (memcached -D)
  char prefix_delimiter = ':';
  bool maxconns_fast = true;
  int udp_port = 0;
  uint32_t requests_per_event = 0;  // of one connection in a row (memcached -R); 0: a batch
  uint32_t idle_timeout_seconds = 0;
  uint32_t watcher_buffer_bytes = 256 << 10;
  unsigned unix_mask = 0700;
  std::string unix_socket;                   // empty: none
  std::map<std::string, std::string> shown;  // where MemcachedTuning begins
  // What stats settings shows of -Z; empty: no TLS.
  std::vector<std::pair<std::string, std::string>> tls_shown;
  std::string interface;           // empty: all addresses
  std::string version = "1.6.18";  // what clients that ask for the version adapt to
};

// Counters of one event loop: written by its thread only, summed by `stats`.
class MemcachedCounter {
 public:
  void Add(uint64_t by = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  uint64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  // Publishes nothing but itself, to whoever sums the counters up.
  std::atomic<uint64_t> value_{0};
};

struct MemcachedCounters {
  MemcachedCounter cmd_get, cmd_set, cmd_flush, cmd_touch, cmd_meta;
  MemcachedCounter get_hits, get_misses, delete_hits, delete_misses;
  MemcachedCounter incr_hits, incr_misses, decr_hits, decr_misses;
  MemcachedCounter cas_hits, cas_misses, cas_badval, touch_hits, touch_misses;
  MemcachedCounter store_too_large, store_no_memory, total_items;
  MemcachedCounter auth_cmds, auth_errors;
  MemcachedCounter get_expired;  // expired entries that a request met
  MemcachedCounter get_flushed;  // gets of what the last flush_all removed
  MemcachedCounter flushed;      // entries that flush_all removed
};

// One value per counter: a sum over loops, or a mark set by `stats reset`.
struct MemcachedTotals {
  uint64_t cmd_get = 0, cmd_set = 0, cmd_flush = 0, cmd_touch = 0, cmd_meta = 0;
  uint64_t get_hits = 0, get_misses = 0, delete_hits = 0, delete_misses = 0;
  uint64_t incr_hits = 0, incr_misses = 0, decr_hits = 0, decr_misses = 0;
  uint64_t cas_hits = 0, cas_misses = 0, cas_badval = 0, touch_hits = 0, touch_misses = 0;
  uint64_t store_too_large = 0, store_no_memory = 0, total_items = 0;
  uint64_t auth_cmds = 0, auth_errors = 0;
  uint64_t get_expired = 0, get_flushed = 0;
  uint64_t flushed = 0;

  void Add(const MemcachedCounters& counters);
  // What came since `mark`.
  MemcachedTotals Since(const MemcachedTotals& mark) const;
};

// What `stats` shows of the process and its clients. Counts are those since the start or the last
// ResetStatistics.
struct MemcachedServerInfo {
  UnixMillis started_at = 0;
  uint64_t connections_current = 0;
  uint64_t connections_total = 0;
  uint64_t connections_rejected = 0;
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
  uint64_t memory_limit_bytes = 0;  // 0: none
  uint64_t expired = 0;             // entries that went since their time had come
  uint64_t evictions = 0;
  uint64_t evicted_unfetched = 0;  // those of them that were never read
  uint64_t idle_kicks = 0;
  uint64_t yields = 0;  // turns that ended with requests of a connection left
  MemcachedTotals totals;
};

struct MemcachedConnection {
  int fd = -1;
  std::string address;        // "tcp:127.0.0.1:51234", "unix:/path"
  std::string local_address;  // the address the client connected to; empty for a listening socket
  std::string state;          // in memcached's words
  UnixMillis last_active_at = 0;
};

// The nodes of the cluster that this node belongs to, for clients that discover them.
struct MemcachedCluster {
  uint64_t version = 0;
  std::string nodes;  // "host|ip|port" for each, blanks between
};

// All functions are called with no shard locked, from any event loop.
class MemcachedServices {
 public:
  virtual ~MemcachedServices() = default;
  virtual MemcachedServerInfo Info() = 0;
  // Listening sockets first, then clients; `asking` is the id of the client that wants to know.
  virtual std::vector<MemcachedConnection> Connections(uint64_t asking) = 0;
  virtual void ResetStatistics() = 0;
  virtual void SetVerbosity(uint64_t level) = 0;
  // False when the limit cannot be taken.
  virtual bool SetMemoryLimit(uint64_t bytes) = 0;
  // Runs Keyspace::FlushAll at that moment; replaces what was planned before; nullopt: never.
  virtual void PlanFlush(std::optional<UnixMillis> at) = 0;
  // Reads the files of TLS anew; when one is bad, the old ones stay. Returns the reply line.
  virtual std::string_view RefreshCertificates() = 0;
  // Ends the process soon; graceful: after the connections were served.
  virtual void Shutdown(bool graceful) = 0;
  // Nothing while no control plane has told it.
  virtual std::optional<MemcachedCluster> Cluster() = 0;
  // Whether that is a user's password. Compares in constant time.
  virtual bool IsPassword(std::string_view user, std::string_view password) = 0;
  virtual MemcachedTuning& Tuning() = 0;
  virtual MemcachedPrefixes& Prefixes() = 0;
  virtual MemcachedClassCounters& ClassCounters() = 0;
  virtual MemcachedExpiredKeys& ExpiredKeys() = 0;
  virtual MemcachedFlushedKeys& FlushedKeys() = 0;
  // Turns statistics per prefix on or off.
  virtual void EnablePrefixes(bool value) = 0;
  virtual MemcachedWatchers::Totals Watching() = 0;
  // Output for the client `id` from now on. Null: there are too many watchers.
  virtual std::unique_ptr<OutputSource> Watch(uint8_t kinds, uint64_t id) = 0;
};

// What a request may need of its connection beside the reply.
struct MemcachedConnectionAccess {
  bool& close_after_reply;                // set by quit and shutdown
  std::unique_ptr<OutputSource>& source;  // set by watch and dumps
  uint64_t client_id;
  int fd;
  bool has_unsent_replies;  // to requests that came together with this one
};

// What one memcached request is run with.
struct MemcachedContext {
  KeyAccess& keys;  // of the database memcached clients see; its effects gather what was changed
  const Key* key;   // hashed, its shard locked; null for requests without a key
  wire::OutputBuffer& out;
  Keyspace& keyspace;  // for requests without a key
  MemcachedServices& services;
  const MemcachedSettings& settings;
  MemcachedCounters& counters;
  bool read_only;       // a replica: requests that write were refused (MemcachedRefusal)
  ClientState& client;  // authentication writes its outcome there
  MemcachedConnectionAccess& connection;
  MemcachedObservation* observation = nullptr;  // null: nobody wants to know what happens

  UnixMillis now() const { return keys.now(); }
};

}  // namespace mikura::engine
