// SPDX-License-Identifier: Apache-2.0
#include "engine/server/info.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "engine/server/command_info.h"
#include "engine/server/memory_info.h"

namespace mikura::engine {
namespace {

// The version of Redis whose commands and fields we answer; clients decide by it.
constexpr std::string_view kRedisVersion = "7.0.15";
constexpr std::string_view kMikuraVersion = "0.1.0";

using Out = std::back_insert_iterator<std::string>;

uint64_t Sum(const InfoSources& sources, Counter LoopStatistics::*field) {
  uint64_t total = 0;
  for (const LoopStatistics* loop : sources.loops) total += (loop->*field).Get();
  return total;
}

uint64_t SinceReset(const InfoSources& sources, Counter LoopStatistics::*field) {
  return Sum(sources, field) - (sources.base.*field).Get();
}

void ServerSection(const InfoSources& sources, std::string& out) {
  utsname system{};
  uname(&system);
  const int64_t uptime = (sources.now - sources.started_at) / 1000;
  fmt::format_to(
      Out(out),
      "redis_version:{}\r\nserver_name:mikura\r\nmikura_version:{}\r\nredis_mode:standalone\r\n"
      "os:{} {} {}\r\narch_bits:64\r\nmultiplexing_api:epoll\r\nprocess_id:{}\r\nrun_id:{}\r\n"
      "tcp_port:{}\r\nserver_time_usec:{}\r\nuptime_in_seconds:{}\r\nuptime_in_days:{}\r\n"
      "io_threads_active:0\r\nthreads:{}\r\nconfig_file:{}\r\n",
      kRedisVersion, kMikuraVersion, system.sysname, system.release, system.machine, getpid(),
      sources.run_id, sources.tcp_port, sources.now * 1000, uptime, uptime / 86400, sources.threads,
      sources.config_file);
}

void ClientsSection(const InfoSources& sources, std::string& out) {
  fmt::format_to(Out(out),
                 "connected_clients:{}\r\nmaxclients:{}\r\nblocked_clients:{}\r\n"
                 "tracking_clients:{}\r\n",
                 Sum(sources, &LoopStatistics::connected_clients),
                 sources.node.maxclients.load(std::memory_order_relaxed),
                 Sum(sources, &LoopStatistics::blocked_clients), sources.tracking.clients);
}

void MemorySection(const InfoSources& sources, std::string& out) {
  out += MemoryInfoText(sources.memory);
}

void PersistenceSection(const InfoSources& sources, std::string& out) {
  const SaveStatus& saving = sources.saving;
  fmt::format_to(
      Out(out),
      "loading:{}\r\nasync_loading:0\r\nrdb_changes_since_last_save:{}\r\n"
      "rdb_bgsave_in_progress:{}\r\nrdb_last_save_time:{}\r\nrdb_last_bgsave_status:{}\r\n"
      "rdb_last_bgsave_time_sec:{}\r\nrdb_current_bgsave_time_sec:{}\r\nrdb_saves:{}\r\n"
      "rdb_last_cow_size:0\r\nrdb_last_load_keys_expired:{}\r\nrdb_last_load_keys_loaded:{}\r\n"
      "aof_enabled:0\r\naof_rewrite_in_progress:0\r\n",
      sources.node.loading.load(std::memory_order_relaxed) ? 1 : 0, saving.changes,
      saving.is_saving ? 1 : 0, saving.last_save_at / 1000, saving.last_ok ? "ok" : "err",
      saving.last_seconds, saving.current_seconds, saving.saves, sources.loaded.expired,
      sources.loaded.keys);
}

void StatsSection(const InfoSources& sources, std::string& out) {
  fmt::format_to(
      Out(out),
      "total_connections_received:{}\r\ntotal_commands_processed:{}\r\ntotal_net_input_bytes:{}\r\n"
      "total_net_output_bytes:{}\r\nrejected_connections:{}\r\nexpired_keys:{}\r\nevicted_keys:"
      "{}\r\n"
      "keyspace_hits:{}\r\nkeyspace_misses:{}\r\npubsub_channels:{}\r\npubsub_patterns:{}\r\n"
      "pubsubshard_channels:{}\r\ntracking_total_keys:{}\r\ntracking_total_items:{}\r\n"
      "tracking_total_prefixes:{}\r\n"
      "latest_fork_usec:0\r\ntotal_forks:0\r\ntotal_error_replies:{}\r\n",
      SinceReset(sources, &LoopStatistics::connections_received),
      SinceReset(sources, &LoopStatistics::commands),
      SinceReset(sources, &LoopStatistics::input_bytes),
      SinceReset(sources, &LoopStatistics::output_bytes),
      SinceReset(sources, &LoopStatistics::connections_rejected),
      sources.keyspace.ExpiredTotal() - sources.expired_before,
      sources.keyspace.EvictedTotal() - sources.evicted_before,
      SinceReset(sources, &LoopStatistics::hits), SinceReset(sources, &LoopStatistics::misses),
      sources.pubsub.Count(SubscriptionKind::kChannel),
      sources.pubsub.Count(SubscriptionKind::kPattern),
      sources.pubsub.Count(SubscriptionKind::kShardChannel), sources.tracking.keys,
      sources.tracking.items, sources.tracking.prefixes,
      SinceReset(sources, &LoopStatistics::error_replies));
}

void ReplicationSection(const InfoSources& sources, std::string& out) {
  out += sources.replication;
}

void CpuSection(const InfoSources&, std::string& out) {
  rusage self{};
  getrusage(RUSAGE_SELF, &self);
  fmt::format_to(Out(out), "used_cpu_sys:{}.{:06}\r\nused_cpu_user:{}.{:06}\r\n",
                 self.ru_stime.tv_sec, self.ru_stime.tv_usec, self.ru_utime.tv_sec,
                 self.ru_utime.tv_usec);
}

void CommandStatsSection(const InfoSources& sources, std::string& out) {
  AppendCommandStatistics(sources.observation, sources.table, out);
}

void ErrorStatsSection(const InfoSources& sources, std::string& out) {
  AppendErrorStatistics(sources.observation, out);
}

void LatencyStatsSection(const InfoSources& sources, std::string& out) {
  AppendLatencyStatistics(sources.observation, sources.table, out);
}

void ModulesSection(const InfoSources&, std::string&) {}

void ClusterSection(const InfoSources&, std::string& out) { out += "cluster_enabled:0\r\n"; }

void KeyspaceSection(const InfoSources& sources, std::string& out) {
  for (int database = 0; database < sources.keyspace.database_count(); ++database) {
    const uint64_t keys = sources.keyspace.KeyCount(database);
    if (keys == 0) continue;
    fmt::format_to(Out(out), "db{}:keys={},expires={},avg_ttl=0\r\n", database, keys,
                   sources.keyspace.VolatileKeyCount(database));
  }
}

struct Section {
  std::string_view name;
  std::string_view title;
  void (*write)(const InfoSources& sources, std::string& out);
  bool is_default = true;
};

constexpr Section kSections[] = {
    {"server", "Server", ServerSection},
    {"clients", "Clients", ClientsSection},
    {"memory", "Memory", MemorySection},
    {"persistence", "Persistence", PersistenceSection},
    {"stats", "Stats", StatsSection},
    {"replication", "Replication", ReplicationSection},
    {"cpu", "CPU", CpuSection},
    {"modules", "Modules", ModulesSection},
    {"commandstats", "Commandstats", CommandStatsSection, false},
    {"errorstats", "Errorstats", ErrorStatsSection},
    {"latencystats", "Latencystats", LatencyStatsSection, false},
    {"cluster", "Cluster", ClusterSection},
    {"keyspace", "Keyspace", KeyspaceSection},
};

bool IsWanted(const Section& section, std::span<const std::string_view> sections) {
  if (sections.empty()) return section.is_default;
  return std::any_of(sections.begin(), sections.end(), [&](std::string_view wanted) {
    return wanted == section.name || wanted == "all" || wanted == "everything" ||
           (wanted == "default" && section.is_default);
  });
}

}  // namespace

std::string InfoText(const InfoSources& sources, std::span<const std::string_view> sections) {
  std::string out;
  for (const Section& section : kSections) {
    if (!IsWanted(section, sections)) continue;
    if (!out.empty()) out += "\r\n";
    fmt::format_to(Out(out), "# {}\r\n", section.title);
    section.write(sources, out);
  }
  return out;
}

}  // namespace mikura::engine
