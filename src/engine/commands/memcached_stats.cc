// SPDX-License-Identifier: Apache-2.0
// stats: memcached's names, and only those for which this engine has a true value. There are no
// slab classes: what memcached shows per class is shown as one class, number 1.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

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
    {"total_items", &MemcachedTotals::total_items, &MemcachedCounters::total_items},
};
static_assert(sizeof(MemcachedTotals) == std::size(kCounters) * sizeof(uint64_t));
static_assert(sizeof(MemcachedCounters) == std::size(kCounters) * sizeof(MemcachedCounter));

template <typename T>
void Stat(MemcachedContext& ctx, std::string_view name, const T& value) {
  ctx.out.Append(fmt::format("STAT {} {}\r\n", name, value));
}

void ProcessStats(MemcachedContext& ctx, const MemcachedServerInfo& info) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  Stat(ctx, "pid", getpid());
  Stat(ctx, "uptime", (ctx.now() - info.started_at) / 1000);
  Stat(ctx, "time", ctx.now() / 1000);
  Stat(ctx, "version", ctx.settings.version);
  Stat(ctx, "pointer_size", sizeof(void*) * 8);
  const auto seconds = [](const timeval& time) {
    return fmt::format("{}.{:06}", time.tv_sec, time.tv_usec);
  };
  Stat(ctx, "rusage_user", seconds(usage.ru_utime));
  Stat(ctx, "rusage_system", seconds(usage.ru_stime));
}

void GeneralStats(MemcachedContext& ctx) {
  const MemcachedServerInfo info = ctx.services.Info();
  ProcessStats(ctx, info);
  Stat(ctx, "max_connections", ctx.settings.connections_max);
  Stat(ctx, "curr_connections", info.connections_current);
  Stat(ctx, "total_connections", info.connections_total);
  Stat(ctx, "rejected_connections", info.connections_rejected);
  for (const NamedCounter& row : kCounters) Stat(ctx, row.name, info.totals.*row.total);
  Stat(ctx, "bytes_read", info.bytes_read);
  Stat(ctx, "bytes_written", info.bytes_written);
  Stat(ctx, "limit_maxbytes", info.memory_limit_bytes);
  Stat(ctx, "accepting_conns", 1);
  Stat(ctx, "threads", ctx.settings.threads);
  Stat(ctx, "bytes", ctx.keyspace.UsedBytes());
  Stat(ctx, "curr_items", ctx.keyspace.KeyCount(ctx.keys.database()));
  Stat(ctx, "evicted_unfetched", info.evicted_unfetched);
  Stat(ctx, "evictions", info.evictions);
  Stat(ctx, "reclaimed", ctx.keyspace.ExpiredTotal());
}

std::string_view ProtocolName(wire::MemcachedProtocol protocol) {
  if (protocol == wire::MemcachedProtocol::kAscii) return "ascii";
  return protocol == wire::MemcachedProtocol::kBinary ? "binary" : "auto-negotiate";
}

void SettingsStats(MemcachedContext& ctx) {
  const MemcachedSettings& settings = ctx.settings;
  Stat(ctx, "maxbytes", ctx.services.Info().memory_limit_bytes);
  Stat(ctx, "maxconns", settings.connections_max);
  Stat(ctx, "tcpport", settings.port);
  Stat(ctx, "udpport", 0);
  Stat(ctx, "inter", settings.interface.empty() ? "NULL" : settings.interface);
  Stat(ctx, "verbosity", settings.verbosity);
  Stat(ctx, "evictions", settings.evictions ? "on" : "off");
  Stat(ctx, "domain_socket", "NULL");
  Stat(ctx, "shutdown_command", settings.shutdown_enabled ? "yes" : "no");
  Stat(ctx, "num_threads", settings.threads);
  Stat(ctx, "detail_enabled", "no");
  Stat(ctx, "cas_enabled", "yes");
  Stat(ctx, "tcp_backlog", settings.backlog);
  Stat(ctx, "binding_protocol", ProtocolName(settings.protocol));
  Stat(ctx, "auth_enabled_sasl", settings.sasl_file.empty() ? "no" : "yes");
  Stat(ctx, "auth_enabled_ascii", settings.auth_file.empty() ? "no" : settings.auth_file);
  Stat(ctx, "item_size_max", settings.item_size_max);
  Stat(ctx, "maxconns_fast", "yes");
  Stat(ctx, "flush_enabled", settings.flush_all_enabled ? "yes" : "no");
  Stat(ctx, "dump_enabled", "no");
  Stat(ctx, "watch_enabled", "no");
}

void ItemStats(MemcachedContext& ctx) {
  const uint64_t count = ctx.keyspace.KeyCount(ctx.keys.database());
  if (count == 0) return;
  Stat(ctx, "items:1:number", count);
  Stat(ctx, "items:1:mem_requested", ctx.keyspace.UsedBytes());
  Stat(ctx, "items:1:evicted", ctx.services.Info().evictions);
  Stat(ctx, "items:1:evicted_unfetched", ctx.services.Info().evicted_unfetched);
  Stat(ctx, "items:1:reclaimed", ctx.keyspace.ExpiredTotal());
}

void SlabStats(MemcachedContext& ctx) {
  const MemcachedTotals totals = ctx.services.Info().totals;
  Stat(ctx, "1:used_chunks", ctx.keyspace.KeyCount(ctx.keys.database()));
  Stat(ctx, "1:get_hits", totals.get_hits);
  Stat(ctx, "1:cmd_set", totals.cmd_set);
  Stat(ctx, "1:delete_hits", totals.delete_hits);
  Stat(ctx, "1:incr_hits", totals.incr_hits);
  Stat(ctx, "1:decr_hits", totals.decr_hits);
  Stat(ctx, "1:cas_hits", totals.cas_hits);
  Stat(ctx, "1:cas_badval", totals.cas_badval);
  Stat(ctx, "1:touch_hits", totals.touch_hits);
  Stat(ctx, "active_slabs", 1);
  Stat(ctx, "total_malloced", ctx.keyspace.UsedBytes());
}

void ConnectionStats(MemcachedContext& ctx) {
  for (const MemcachedConnection& connection : ctx.services.Connections()) {
    const std::string prefix = fmt::format("{}:", connection.fd);
    Stat(ctx, prefix + "addr", "tcp:" + connection.address);
    Stat(ctx, prefix + "listen_addr", "tcp:" + connection.local_address);
    Stat(ctx, prefix + "secs_since_last_cmd", (ctx.now() - connection.last_active_at) / 1000);
  }
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
  const std::string_view which = request.data.substr(0, request.data.find(' '));
  if (which.empty()) {
    GeneralStats(ctx);
  } else if (which == "settings") {
    SettingsStats(ctx);
  } else if (which == "items") {
    ItemStats(ctx);
  } else if (which == "slabs") {
    SlabStats(ctx);
  } else if (which == "sizes") {
    Stat(ctx, "sizes_status", "disabled");
  } else if (which == "conns") {
    ConnectionStats(ctx);
  } else if (which == "reset") {
    ctx.services.ResetStatistics();
    return ctx.out.Append("RESET\r\n");
  } else {
    return ctx.out.Append(wire::kMemcachedError);
  }
  ctx.out.Append(kMemcachedEnd);
}

}  // namespace mikura::engine
