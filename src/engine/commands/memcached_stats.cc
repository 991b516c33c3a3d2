// SPDX-License-Identifier: Apache-2.0
// stats: memcached's names. What belongs to a part that does not exist here is 0.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bit>
#include <initializer_list>

#include "base/numbers.h"
#include "engine/commands/memcached_handlers.h"
#include "engine/commands/memcached_replies.h"
#include "wire/memcached_lines.h"

namespace mikura::engine {
namespace {

struct NamedCounter {
  const char* name;
  uint64_t MemcachedTotals::*total;
  MemcachedCounter MemcachedCounters::*counter;
};

constexpr NamedCounter kCounters[] = {
    {"cmd_get", &MemcachedTotals::cmd_get, &MemcachedCounters::cmd_get},
    {"cmd_set", &MemcachedTotals::cmd_set, &MemcachedCounters::cmd_set},
    {"cmd_flush", &MemcachedTotals::cmd_flush, &MemcachedCounters::cmd_flush},
    {"cmd_touch", &MemcachedTotals::cmd_touch, &MemcachedCounters::cmd_touch},
    {"cmd_meta", &MemcachedTotals::cmd_meta, &MemcachedCounters::cmd_meta},
    {"get_hits", &MemcachedTotals::get_hits, &MemcachedCounters::get_hits},
    {"get_misses", &MemcachedTotals::get_misses, &MemcachedCounters::get_misses},
    {"get_expired", &MemcachedTotals::get_expired, &MemcachedCounters::get_expired},
    {"get_flushed", &MemcachedTotals::get_flushed, &MemcachedCounters::get_flushed},
    {"delete_misses", &MemcachedTotals::delete_misses, &MemcachedCounters::delete_misses},
    {"delete_hits", &MemcachedTotals::delete_hits, &MemcachedCounters::delete_hits},
    {"incr_misses", &MemcachedTotals::incr_misses, &MemcachedCounters::incr_misses},
    {"incr_hits", &MemcachedTotals::incr_hits, &MemcachedCounters::incr_hits},
    {"decr_misses", &MemcachedTotals::decr_misses, &MemcachedCounters::decr_misses},
    {"decr_hits", &MemcachedTotals::decr_hits, &MemcachedCounters::decr_hits},
    {"cas_misses", &MemcachedTotals::cas_misses, &MemcachedCounters::cas_misses},
    {"cas_hits", &MemcachedTotals::cas_hits, &MemcachedCounters::cas_hits},
    {"cas_badval", &MemcachedTotals::cas_badval, &MemcachedCounters::cas_badval},
    {"touch_hits", &MemcachedTotals::touch_hits, &MemcachedCounters::touch_hits},
    {"touch_misses", &MemcachedTotals::touch_misses, &MemcachedCounters::touch_misses},
    {"store_too_large", &MemcachedTotals::store_too_large, &MemcachedCounters::store_too_large},
    {"store_no_memory", &MemcachedTotals::store_no_memory, &MemcachedCounters::store_no_memory},
    {"auth_cmds", &MemcachedTotals::auth_cmds, &MemcachedCounters::auth_cmds},
    {"auth_errors", &MemcachedTotals::auth_errors, &MemcachedCounters::auth_errors},
    {"", &MemcachedTotals::flushed, &MemcachedCounters::flushed},          // part of `reclaimed`
    {"", &MemcachedTotals::total_items, &MemcachedCounters::total_items},  // shown with entries
};
static_assert(sizeof(MemcachedTotals) == std::size(kCounters) * sizeof(uint64_t));
static_assert(sizeof(MemcachedCounters) == std::size(kCounters) * sizeof(MemcachedCounter));

template <typename T>
void Stat(MemcachedContext& ctx, std::string_view name, const T& value) {
  AppendStat(ctx, name, value);
}

// Counters of what memcached's threads, lists, slabs and buffers do. Nothing of it exists here, so
// all are true at 0.
void Never(MemcachedContext& ctx, std::initializer_list<const char*> names) {
  for (const char* name : names) Stat(ctx, name, 0);
}

void ProcessStats(MemcachedContext& ctx, const MemcachedServerInfo& info) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  Stat(ctx, "pid", getpid());
  Stat(ctx, "uptime", (ctx.now() - info.started_at) / 1000);
  Stat(ctx, "time", ctx.now() / 1000);
  Stat(ctx, "version", ctx.settings.version);
  Stat(ctx, "libevent", "none");
  Stat(ctx, "pointer_size", sizeof(void*) * 8);
  const auto seconds = [](const timeval& time) {
    return fmt::format("{}.{:06}", time.tv_sec, time.tv_usec);
  };
  Stat(ctx, "rusage_user", seconds(usage.ru_utime));
  Stat(ctx, "rusage_system", seconds(usage.ru_stime));
}

void ConnectionCounts(MemcachedContext& ctx, const MemcachedServerInfo& info) {
  const MemcachedSettings& settings = ctx.settings;
  Stat(ctx, "max_connections", settings.connections_max);
  Stat(ctx, "curr_connections", info.connections_current);
  Stat(ctx, "total_connections", info.connections_total);
  if (settings.maxconns_fast) Stat(ctx, "rejected_connections", info.connections_rejected);
  Stat(ctx, "connection_structures", info.connections_current);
  Never(ctx, {"response_obj_oom", "response_obj_count", "response_obj_bytes", "read_buf_count",
              "read_buf_bytes", "read_buf_bytes_free", "read_buf_oom", "reserved_fds"});
}

// The size of the hash tables, from the number of keys: counting would have to lock every shard.
void HashTableStats(MemcachedContext& ctx, uint64_t keys) {
  constexpr uint64_t kBucketBytes = 64;
  constexpr double kKeysPerBucket = 7.8;  // on average (engine/store/table_sizes.h)
  Stat(ctx, "hash_power_level", std::bit_width(keys));
  Stat(ctx, "hash_bytes",
       kBucketBytes * static_cast<uint64_t>(static_cast<double>(keys) / kKeysPerBucket));
  Never(ctx, {"hash_is_expanding"});
}

// memcached leaves out what belongs to a part that is turned off.
void BackgroundStats(MemcachedContext& ctx) {
  if (ctx.services.Tuning().IsOn("slab_reassign")) {
    Never(ctx,
          {"slab_reassign_rescues", "slab_reassign_chunk_rescues", "slab_reassign_evictions_nomem",
           "slab_reassign_inline_reclaim", "slab_reassign_busy_items", "slab_reassign_busy_deletes",
           "slab_reassign_running", "slabs_moved"});
  }
  if (ctx.services.Tuning().IsOn("lru_crawler")) {
    Never(ctx, {"lru_crawler_running", "lru_crawler_starts"});
  }
  if (ctx.services.Tuning().IsOn("lru_maintainer_thread")) Never(ctx, {"lru_maintainer_juggles"});
  Never(ctx, {"malloc_fails", "log_worker_dropped"});
  const MemcachedWatchers::Totals watching = ctx.services.Watching();
  Stat(ctx, "log_worker_written", watching.lines_sent + watching.lines_skipped);
  Stat(ctx, "log_watcher_skipped", watching.lines_skipped);
  Stat(ctx, "log_watcher_sent", watching.lines_sent);
  Stat(ctx, "log_watchers", watching.watchers);
  Never(ctx, {"unexpected_napi_ids", "round_robin_fallback"});
}

void EntryStats(MemcachedContext& ctx, const MemcachedServerInfo& info) {
  const auto removed = ctx.services.ClassCounters().Total();
  const auto count = [&](MemcachedRemoval what) { return removed[static_cast<size_t>(what)]; };
  Stat(ctx, "bytes", ctx.keyspace.UsedBytes());
  Stat(ctx, "curr_items", ctx.keyspace.KeyCount(ctx.keys.database()));
  Stat(ctx, "total_items", info.totals.total_items);
  Never(ctx, {"slab_global_page_pool"});
  Stat(ctx, "expired_unfetched", count(MemcachedRemoval::kExpiredUnfetched));
  Stat(ctx, "evicted_unfetched", info.evicted_unfetched);
  const bool is_segmented = ctx.services.Tuning().IsOn("lru_maintainer_thread");
  if (is_segmented) Never(ctx, {"evicted_active"});
  Stat(ctx, "evictions", info.evictions);
  Stat(ctx, "reclaimed", info.expired + info.totals.flushed);
  Stat(ctx, "crawler_reclaimed", count(MemcachedRemoval::kCrawlerReclaimed));
  // The background job goes by deadlines: it looks at no entry but those whose time has come.
  Stat(ctx, "crawler_items_checked", count(MemcachedRemoval::kCrawlerReclaimed));
  Never(ctx, {"lrutail_reflocked"});
  if (is_segmented) {
    Never(ctx, {"moves_to_cold", "moves_to_warm", "moves_within_lru", "direct_reclaims",
                "lru_bumps_dropped"});
  }
}

void GeneralStats(MemcachedContext& ctx) {
  const MemcachedServerInfo info = ctx.services.Info();
  ProcessStats(ctx, info);
  ConnectionCounts(ctx, info);
  for (const NamedCounter& row : kCounters) {
    if (*row.name != '\0') Stat(ctx, row.name, info.totals.*row.total);
  }
  if (ctx.settings.idle_timeout_seconds > 0) Stat(ctx, "idle_kicks", info.idle_kicks);
  Stat(ctx, "bytes_read", info.bytes_read);
  Stat(ctx, "bytes_written", info.bytes_written);
  Stat(ctx, "limit_maxbytes", info.memory_limit_bytes);
  Stat(ctx, "accepting_conns", 1);
  // A connection over the limit is answered, never left waiting.
  Never(ctx, {"listen_disabled_num", "time_in_listen_disabled_us"});
  Stat(ctx, "threads", ctx.settings.threads);
  Stat(ctx, "conn_yields", info.yields);
  HashTableStats(ctx, ctx.keyspace.KeyCount(ctx.keys.database()));
  BackgroundStats(ctx);
  EntryStats(ctx, info);
}

void ConnectionStats(MemcachedContext& ctx) {
  for (const MemcachedConnection& connection : ctx.services.Connections(ctx.connection.client_id)) {
    const std::string prefix = fmt::format("{}:", connection.fd);
    Stat(ctx, prefix + "addr", connection.address);
    if (!connection.local_address.empty()) {
      Stat(ctx, prefix + "listen_addr", connection.local_address);
    }
    Stat(ctx, prefix + "state", connection.state);
    Stat(ctx, prefix + "secs_since_last_cmd", (ctx.now() - connection.last_active_at) / 1000);
  }
}

// stats detail on|off|dump
void DetailStats(MemcachedContext& ctx, std::string_view what) {
  if (what == "dump") return ctx.out.Append(ctx.services.Prefixes().Dump());
  if (what != "on" && what != "off") {
    return ctx.out.Append("CLIENT_ERROR usage: stats detail on|off|dump\r\n");
  }
  ctx.services.EnablePrefixes(what == "on");
  ctx.out.Append(kMemcachedOk);
}

}  // namespace

void MemcachedTotals::Add(const MemcachedCounters& counters) {
  for (const NamedCounter& row : kCounters) this->*row.total += (counters.*row.counter).Get();
}

MemcachedTotals MemcachedTotals::Since(const MemcachedTotals& mark) const {
  MemcachedTotals result;
  for (const NamedCounter& row : kCounters) result.*row.total = this->*row.total - mark.*row.total;
  return result;
}

void RunMemcachedStats(MemcachedContext& ctx, const wire::MemcachedRequest& request) {
  const wire::MemcachedWords words(request.data);
  const std::string_view which = words.count == 0 ? std::string_view() : words[0];
  if (which.empty()) {
    GeneralStats(ctx);
  } else if (which == "settings") {
    AppendMemcachedSettings(ctx);
  } else if (which == "items") {
    AppendMemcachedItems(ctx);
  } else if (which == "slabs") {
    AppendMemcachedSlabs(ctx);
  } else if (which == "sizes" || which == "sizes_disable") {
    Stat(ctx, "sizes_status", "disabled");
  } else if (which == "conns") {
    ConnectionStats(ctx);
  } else if (which == "detail") {
    return DetailStats(ctx, words.count > 1 ? words[1] : "");
  } else if (which == "cachedump") {
    return AppendMemcachedCacheDump(ctx, words);
  } else if (which == "reset") {
    ctx.services.Prefixes().Clear();
    ctx.services.ClassCounters().Reset();
    ctx.services.ResetStatistics();
    return ctx.out.Append("RESET\r\n");
  } else {
    return ctx.out.Append(wire::kMemcachedError);
  }
  ctx.out.Append(kMemcachedEnd);
}

}  // namespace mikura::engine
