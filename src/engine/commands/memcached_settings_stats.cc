// SPDX-License-Identifier: Apache-2.0
// stats settings, in memcached's order. What belongs to storage on disk is left out.
#include "engine/commands/memcached_handlers.h"
#include "engine/commands/memcached_replies.h"

namespace mikura::engine {
namespace {

std::string_view ProtocolName(wire::MemcachedProtocol protocol) {
  if (protocol == wire::MemcachedProtocol::kAscii) return "ascii";
  return protocol == wire::MemcachedProtocol::kBinary ? "binary" : "auto-negotiate";
}

template <typename T>
void Stat(MemcachedContext& ctx, std::string_view name, const T& value) {
  AppendStat(ctx, name, value);
}

void Switch(MemcachedContext& ctx, std::string_view name, bool value) {
  AppendStat(ctx, name, value ? "yes" : "no");
}

void Tuned(MemcachedContext& ctx, const std::string& name) {
  AppendStat(ctx, name, ctx.services.Tuning().Get(name));
}

constexpr const char* kTunedAfterFastLimit[] = {
    "hashpower_init",       "slab_reassign",    "slab_automove", "slab_automove_ratio",
    "slab_automove_window", "slab_chunk_max",   "lru_crawler",   "lru_crawler_sleep",
    "lru_crawler_tocrawl",  "tail_repair_time",
};
constexpr const char* kTunedAfterDump[] = {
    "hash_algorithm", "lru_maintainer_thread", "lru_segmented", "hot_lru_pct",   "warm_lru_pct",
    "hot_max_factor", "warm_max_factor",       "temp_lru",      "temporary_ttl",
};
constexpr const char* kTunedAtTheEnd[] = {
    "worker_logbuf_size",    "read_buf_mem_limit",      "track_sizes",
    "inline_ascii_response", "slab_automove_freeratio",
};

void Listening(MemcachedContext& ctx) {
  const MemcachedSettings& settings = ctx.settings;
  Stat(ctx, "maxbytes", ctx.services.Info().memory_limit_bytes);
  Stat(ctx, "maxconns", settings.connections_max);
  Stat(ctx, "tcpport", settings.port);
  Stat(ctx, "udpport", settings.udp_port);
  Stat(ctx, "inter", settings.interface.empty() ? "NULL" : settings.interface);
  Stat(ctx, "verbosity", settings.verbosity);
  Stat(ctx, "evictions", settings.evictions ? "on" : "off");
  Stat(ctx, "domain_socket", settings.unix_socket.empty() ? "NULL" : settings.unix_socket);
  Stat(ctx, "umask", fmt::format("{:o}", settings.unix_mask));
  Switch(ctx, "shutdown_command", settings.shutdown_enabled);
}

}  // namespace

void AppendMemcachedSettings(MemcachedContext& ctx) {
  const MemcachedSettings& settings = ctx.settings;
  Listening(ctx);
  Tuned(ctx, "growth_factor");
  Tuned(ctx, "chunk_size");
  Stat(ctx, "num_threads", settings.threads);
  Stat(ctx, "stat_key_prefix", settings.prefix_delimiter);
  Switch(ctx, "detail_enabled", ctx.services.Prefixes().enabled());
  Tuned(ctx, "reqs_per_event");
  Switch(ctx, "cas_enabled", settings.cas_enabled);
  Stat(ctx, "tcp_backlog", settings.backlog);
  Stat(ctx, "binding_protocol", ProtocolName(settings.protocol));
  Stat(ctx, "auth_enabled_sasl", settings.sasl_file.empty() ? "no" : "yes");
  Stat(ctx, "auth_enabled_ascii", settings.auth_file.empty() ? "no" : settings.auth_file);
  Stat(ctx, "item_size_max", settings.item_size_max);
  Switch(ctx, "maxconns_fast", settings.maxconns_fast);
  for (const char* name : kTunedAfterFastLimit) Tuned(ctx, name);
  Switch(ctx, "flush_enabled", settings.flush_all_enabled);
  Switch(ctx, "dump_enabled", settings.dump_enabled);
  Switch(ctx, "watch_enabled", settings.watch_enabled);
  for (const char* name : kTunedAfterDump) Tuned(ctx, name);
  Stat(ctx, "idle_timeout", settings.idle_timeout_seconds);
  Stat(ctx, "watcher_logbuf_size", settings.watcher_buffer_bytes);
  for (const char* name : kTunedAtTheEnd) Tuned(ctx, name);
  Switch(ctx, "ssl_enabled", !settings.tls_shown.empty());
  for (const auto& [name, value] : settings.tls_shown) Stat(ctx, name, value);
}

}  // namespace mikura::engine
