// SPDX-License-Identifier: Apache-2.0
#include "engine/server/info.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <iterator>

#include "engine/keyspace/own_deadlines.h"
#include "engine/server/command_info.h"
#include "engine/server/memory_info.h"

namespace mikura::engine {
namespace {

// The version of Redis whose commands and fields we answer; clients decide by it.
constexpr std::string_view kMikuraVersion = "0.1.0";

// As Redis does: zeros for another compiler.
#if defined(__GNUC__) && !defined(__clang__)
constexpr std::string_view kGccVersion = __VERSION__;
#else
constexpr std::string_view kGccVersion = "0.0.0";
#endif
constexpr int kHz = 10;                            // what CONFIG GET hz says
constexpr UnixMillis kLruClockPeriod = 1LL << 24;  // in seconds: where the clock of Redis wraps

using Out = std::back_insert_iterator<std::string>;

uint64_t Sum(const InfoSources& sources, Counter LoopStatistics::*field) {
  uint64_t total = 0;
  for (const LoopStatistics* loop : sources.loops) total += (loop->*field).Get();
  return total;
}

uint64_t SinceReset(const InfoSources& sources, Counter LoopStatistics::*field) {
  return Sum(sources, field) - (sources.base.*field).Get();
}

// Empty when it cannot be read.
std::string Executable() {
  std::array<char, PATH_MAX> path;
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  return size < 0 ? std::string() : std::string(path.data(), static_cast<size_t>(size));
}

void ServerSection(const InfoSources& sources, std::string& out) {
  utsname system{};
  uname(&system);
  const int64_t uptime = (sources.now - sources.started_at) / 1000;
  fmt::format_to(
      Out(out),
      "redis_version:{}\r\nredis_git_sha1:00000000\r\nredis_git_dirty:0\r\nserver_name:{}\r\n{}"
      "mikura_version:{}\r\nredis_mode:standalone\r\nos:{} {} {}\r\narch_bits:64\r\n"
      "monotonic_clock:POSIX clock_gettime\r\nmultiplexing_api:epoll\r\ngcc_version:{}\r\n"
      "process_id:{}\r\nprocess_supervised:no\r\nrun_id:{}\r\ntcp_port:{}\r\n"
      "server_time_usec:{}\r\nuptime_in_seconds:{}\r\nuptime_in_days:{}\r\nhz:{}\r\n"
      "configured_hz:{}\r\nlru_clock:{}\r\nexecutable:{}\r\nconfig_file:{}\r\n"
      "io_threads_active:0\r\nthreads:{}\r\n",
      sources.version, sources.valkey_version.empty() ? "mikura" : "valkey",
      sources.valkey_version.empty() ? ""
                                     : fmt::format("valkey_version:{}\r\n", sources.valkey_version),
      kMikuraVersion, system.sysname, system.release, system.machine, kGccVersion, getpid(),
      sources.run_id, sources.tcp_port, sources.now * 1000, uptime, uptime / 86400, kHz, kHz,
      sources.now / 1000 % kLruClockPeriod, Executable(), sources.config_file, sources.threads);
}

void ClientsSection(const InfoSources& sources, std::string& out) {
  fmt::format_to(Out(out),
                 "connected_clients:{}\r\ncluster_connections:0\r\nmaxclients:{}\r\n"
                 "blocked_clients:{}\r\n"
                 "tracking_clients:{}\r\n",
                 Sum(sources, &LoopStatistics::connected_clients),
                 sources.node.maxclients.load(std::memory_order_relaxed),
                 Sum(sources, &LoopStatistics::blocked_clients), sources.tracking.clients);
}

void MemorySection(const InfoSources& sources, std::string& out) {
  out += MemoryInfoText(sources.memory);
}

void AppendLogFields(const AppendLogStatus& log, std::string& out) {
  fmt::format_to(
      Out(out),
      "aof_enabled:{}\r\naof_rewrite_in_progress:{}\r\naof_rewrite_scheduled:0\r\n"
      "aof_last_rewrite_time_sec:{}\r\naof_current_rewrite_time_sec:{}\r\n"
      "aof_last_bgrewrite_status:{}\r\naof_rewrites:{}\r\n"
      "aof_rewrites_consecutive_failures:{}\r\naof_last_write_status:{}\r\n"
      "aof_last_cow_size:0\r\nmodule_fork_in_progress:0\r\nmodule_fork_last_cow_size:0\r\n",
      log.is_enabled ? 1 : 0, log.is_rewriting ? 1 : 0, log.last_rewrite_seconds,
      log.current_rewrite_seconds, log.last_rewrite_ok ? "ok" : "err", log.rewrites, log.failures,
      log.error == 0 ? "ok" : "err");
  if (!log.is_enabled) return;
  fmt::format_to(Out(out),
                 "aof_current_size:{}\r\naof_base_size:{}\r\naof_pending_rewrite:0\r\n"
                 "aof_buffer_length:{}\r\naof_pending_bio_fsync:0\r\naof_delayed_fsync:0\r\n",
                 log.current_bytes, log.base_bytes, log.queued_bytes);
}

// While the node's file is loaded. (In a full sync, whose size is not known, all but the first are
// those of the file of the start.)
void AppendLoading(const InfoSources& sources, std::string& out) {
  const uint64_t total = sources.load_bytes_total;
  const uint64_t done = std::min(sources.load_bytes_done, total);
  const double part = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
  const int64_t seconds = (sources.now - sources.loading_since) / 1000;
  const double left = done == 0 ? 1
                                : static_cast<double>(seconds) * static_cast<double>(total - done) /
                                      static_cast<double>(done);
  fmt::format_to(Out(out),
                 "loading_start_time:{}\r\nloading_total_bytes:{}\r\nloading_rdb_used_mem:0\r\n"
                 "loading_loaded_bytes:{}\r\nloading_loaded_perc:{:.2f}\r\n"
                 "loading_eta_seconds:{}\r\n",
                 sources.loading_since / 1000, total, done, part * 100, static_cast<int64_t>(left));
}

void PersistenceSection(const InfoSources& sources, std::string& out) {
  const SaveStatus& saving = sources.saving;
  const bool is_loading = sources.node.loading.load(std::memory_order_relaxed);
  fmt::format_to(
      Out(out),
      "loading:{}\r\nasync_loading:0\r\ncurrent_cow_peak:0\r\ncurrent_cow_size:0\r\n"
      "current_cow_size_age:0\r\ncurrent_fork_perc:0.00\r\ncurrent_save_keys_processed:{}\r\n"
      "current_save_keys_total:{}\r\nrdb_changes_since_last_save:{}\r\n"
      "rdb_bgsave_in_progress:{}\r\nrdb_last_save_time:{}\r\nrdb_last_bgsave_status:{}\r\n"
      "rdb_last_bgsave_time_sec:{}\r\nrdb_current_bgsave_time_sec:{}\r\nrdb_saves:{}\r\n"
      "rdb_last_cow_size:0\r\nrdb_last_load_keys_expired:{}\r\nrdb_last_load_keys_loaded:{}\r\n"
      "snapshot_backlog_bytes:{}\r\n",
      is_loading ? 1 : 0, saving.keys_done, saving.keys_total, saving.changes,
      saving.is_saving ? 1 : 0, saving.last_save_at / 1000, saving.last_ok ? "ok" : "err",
      saving.last_seconds, saving.current_seconds, saving.saves, sources.loaded.expired,
      sources.loaded.keys, saving.backlog_bytes);
  AppendLogFields(sources.append_log, out);
  if (is_loading) AppendLoading(sources, out);
}

// Of event loops: what they received, ran and sent.
void AppendTraffic(const InfoSources& sources, std::string& out) {
  const auto kilobytes = [&](Counter LoopStatistics::*field) {
    return static_cast<double>(Sum(sources, field)) / 1024;
  };
  fmt::format_to(Out(out),
                 "total_connections_received:{}\r\ntotal_commands_processed:{}\r\n"
                 "instantaneous_ops_per_sec:{}\r\ntotal_net_input_bytes:{}\r\n"
                 "total_net_output_bytes:{}\r\ninstantaneous_input_kbps:{:.2f}\r\n"
                 "instantaneous_output_kbps:{:.2f}\r\nrejected_connections:{}\r\n",
                 SinceReset(sources, &LoopStatistics::connections_received),
                 SinceReset(sources, &LoopStatistics::commands),
                 Sum(sources, &LoopStatistics::commands_per_second),
                 SinceReset(sources, &LoopStatistics::input_bytes),
                 SinceReset(sources, &LoopStatistics::output_bytes),
                 kilobytes(&LoopStatistics::input_bytes_per_second),
                 kilobytes(&LoopStatistics::output_bytes_per_second),
                 SinceReset(sources, &LoopStatistics::connections_rejected));
}

// Of keys, and of those who look at them.
void AppendKeyTotals(const InfoSources& sources, std::string& out) {
  fmt::format_to(Out(out),
                 "expired_keys:{}\r\nexpire_cycle_cpu_milliseconds:{}\r\nevicted_keys:{}\r\n"
                 "evicted_clients:0\r\nkeyspace_hits:{}\r\nkeyspace_misses:{}\r\n"
                 "pubsub_channels:{}\r\npubsub_patterns:{}\r\npubsubshard_channels:{}\r\n"
                 "slave_expires_tracked_keys:{}\r\ntracking_total_keys:{}\r\n"
                 "tracking_total_items:{}\r\ntracking_total_prefixes:{}\r\n",
                 sources.keyspace.ExpiredTotal() - sources.expired_before,
                 SinceReset(sources, &LoopStatistics::expiry_micros) / 1000,
                 sources.keyspace.EvictedTotal() - sources.evicted_before,
                 SinceReset(sources, &LoopStatistics::hits),
                 SinceReset(sources, &LoopStatistics::misses),
                 sources.pubsub.Count(SubscriptionKind::kChannel),
                 sources.pubsub.Count(SubscriptionKind::kPattern),
                 sources.pubsub.Count(SubscriptionKind::kShardChannel),
                 sources.keyspace.own_deadlines().count(), sources.tracking.keys,
                 sources.tracking.items, sources.tracking.prefixes);
}

void StatsSection(const InfoSources& sources, std::string& out) {
  AppendTraffic(sources, out);
  fmt::format_to(Out(out), "sync_full:{}\r\nsync_partial_ok:{}\r\nsync_partial_err:{}\r\n",
                 sources.syncs.full, sources.syncs.partial, sources.syncs.partial_refused);
  AppendKeyTotals(sources, out);
  fmt::format_to(Out(out),
                 "latest_fork_usec:0\r\ntotal_forks:0\r\nunexpected_error_replies:0\r\n"
                 "total_error_replies:{}\r\nio_threaded_reads_processed:0\r\n"
                 "io_threaded_writes_processed:0\r\n",
                 SinceReset(sources, &LoopStatistics::error_replies));
}

void ReplicationSection(const InfoSources& sources, std::string& out) {
  out += sources.replication;
}

void CpuSection(const InfoSources&, std::string& out) {
  const auto add = [&out](int who, std::string_view suffix) {
    rusage usage{};
    getrusage(who, &usage);
    fmt::format_to(Out(out), "used_cpu_sys{0}:{1}.{2:06}\r\nused_cpu_user{0}:{3}.{4:06}\r\n",
                   suffix, usage.ru_stime.tv_sec, usage.ru_stime.tv_usec, usage.ru_utime.tv_sec,
                   usage.ru_utime.tv_usec);
  };
  add(RUSAGE_SELF, "");
  add(RUSAGE_CHILDREN, "_children");
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
