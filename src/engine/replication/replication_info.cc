// SPDX-License-Identifier: Apache-2.0
// INFO replication.
#include <fmt/format.h>

#include <iterator>

#include "engine/replication/replication_service.h"

namespace mikura::engine {
namespace {

std::string_view FailoverStateName(FailoverState state) {
  switch (state) {
    case FailoverState::kNone:
      break;
    case FailoverState::kWaitingForSync:
      return "waiting-for-sync";
    case FailoverState::kInProgress:
      return "failover-in-progress";
  }
  return "no-failover";
}

class InfoLines {
 public:
  template <typename Value>
  void Add(std::string_view name, const Value& value) {
    fmt::format_to(std::back_inserter(text_), "{}:{}\r\n", name, value);
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

void AddSync(InfoLines& lines, const LinkStatus& link, int64_t last_io_seconds) {
  const int64_t total = link.sync_total_bytes;
  const double percent =
      total > 0 ? 100.0 * static_cast<double>(link.sync_read_bytes) / static_cast<double>(total)
                : 0.0;
  lines.Add("master_sync_total_bytes", total);
  lines.Add("master_sync_read_bytes", link.sync_read_bytes);
  lines.Add("master_sync_left_bytes", total - link.sync_read_bytes);
  lines.Add("master_sync_perc", fmt::format("{:.2f}", percent));
  lines.Add("master_sync_last_io_seconds_ago", last_io_seconds);
}

void AddPrimary(InfoLines& lines, const ReplicationStatus& status,
                const ReplicationSettings& settings) {
  lines.Add("master_host", status.primary_host);
  lines.Add("master_port", status.primary_port);
  lines.Add("master_link_status", status.link_up() ? "up" : "down");
  lines.Add("master_last_io_seconds_ago", status.link_up() ? status.last_io_seconds : -1);
  lines.Add("master_sync_in_progress", status.sync_in_progress ? 1 : 0);
  lines.Add("slave_read_repl_offset", status.offset);
  lines.Add("slave_repl_offset", status.offset);
  if (status.sync_in_progress) AddSync(lines, status.link, status.last_io_seconds);
  if (!status.link_up()) lines.Add("master_link_down_since_seconds", status.link_down_seconds);
  lines.Add("slave_priority", settings.priority);
  lines.Add("slave_read_only", settings.is_read_only ? 1 : 0);
  lines.Add("replica_announced", settings.is_announced ? 1 : 0);
}

void AddReplicas(InfoLines& lines, const ReplicationStatus& status) {
  for (size_t i = 0; i < status.replicas.size(); ++i) {
    const ReplicaStatus& replica = status.replicas[i];
    lines.Add(
        fmt::format("slave{}", i),
        fmt::format("ip={},port={},state={},offset={},lag={}{}", replica.host, replica.port,
                    replica.state, replica.offset, replica.lag_seconds,
                    status.is_sync ? fmt::format(",in_sync={}", replica.in_sync ? 1 : 0) : ""));
  }
  if (!status.is_sync) return;
  lines.Add("in_sync_slaves", status.sync.in_sync);
  lines.Add("durable_repl_offset",
            status.sync.durable == InSyncSet::kEverything ? status.offset : status.sync.durable);
}

}  // namespace

std::string ReplicationService::InfoText() const {
  const ReplicationStatus status = this->status();
  const ReplicationSettings settings = settings_();
  InfoLines lines;
  lines.Add("role", status.is_primary ? "master" : "slave");
  if (!status.is_primary) AddPrimary(lines, status, settings);
  lines.Add("connected_slaves", status.replicas.size());
  if (settings.min_replicas > 0) {
    lines.Add("min_slaves_good_slaves", primary_side_.CountGood());
  }
  AddReplicas(lines, status);
  lines.Add("master_failover_state",
            FailoverStateName(failover_state_.load(std::memory_order_relaxed)));
  lines.Add("master_replid", status.ids.current);
  lines.Add("master_replid2",
            status.ids.previous.empty() ? std::string(40, '0') : status.ids.previous);
  lines.Add("master_repl_offset", status.offset);
  // As Redis counts: the first byte that belongs to the new id only.
  lines.Add("second_repl_offset", status.ids.previous_end < 0 ? -1 : status.ids.previous_end + 1);
  lines.Add("repl_backlog_active", status.backlog_active ? 1 : 0);
  lines.Add("repl_backlog_size", status.backlog.size);
  lines.Add("repl_backlog_first_byte_offset", status.backlog_active ? status.backlog.begin + 1 : 0);
  lines.Add("repl_backlog_histlen",
            status.backlog_active ? status.backlog.end - status.backlog.begin : 0);
  return lines.Take();
}

}  // namespace mikura::engine
