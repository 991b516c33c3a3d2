// SPDX-License-Identifier: Apache-2.0
#include "engine/replication/replication_service.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "base/logging.h"

namespace mikura::engine {
namespace {

constexpr milliseconds kTickPeriod{500};
constexpr milliseconds kSyncTickPeriod{
    50};  // replicas that are too far behind, with durability sync
// How long a primary that ends waits for its replicas.
constexpr milliseconds kFarewell{2000};
constexpr milliseconds kParting{100};  // a client waits for the change of role
constexpr MonotonicNanos kSecond = 1'000'000'000;

std::string_view LinkStateName(LinkState state) {
  switch (state) {
    case LinkState::kConnecting:
      return "connecting";
    case LinkState::kSync:
      return "sync";
    case LinkState::kConnected:
      return "connected";
    case LinkState::kNone:
    case LinkState::kConnect:
      break;
  }
  return "connect";
}

}  // namespace

ReplicationService::ReplicationService(Keyspace& keyspace, SnapshotSlots& slots,
                                       RecordExecutor& executor, SettingsSource settings,
                                       RoleListener on_role)
    : keyspace_(keyspace),
      settings_(std::move(settings)),
      on_role_(std::move(on_role)),
      primary_side_(keyspace, slots, settings_),
      link_(std::make_unique<ReplicaLink>(keyspace, primary_side_, executor, settings_,
                                          [this](bool loading) { PublishLoading(loading); })),
      tick_thread_([this] { RunTicks(); }) {}

ReplicationService::~ReplicationService() { Stop(); }

void ReplicationService::Stop() {
  {
    MutexLock lock(tick_mutex_);
    stopping_ = true;
    tick_.NotifyAll();
  }
  if (tick_thread_.joinable()) tick_thread_.join();
  link_->Release();
  bool is_primary = false;
  {
    MutexLock lock(role_mutex_);
    is_primary = primary_host_.empty();
  }
  // A replica has nothing of its own to hand on.
  if (is_primary) primary_side_.AwaitReplicas(kFarewell);
  primary_side_.DropReplicas();
}

void ReplicationService::RunTicks() {
  while (true) {
    const bool is_sync = primary_side_.in_sync().is_enabled();
    bool tends_durability = false;
    bool held_replies_ended = false;
    {
      MutexLock lock(tick_mutex_);
      if (!stopping_ && !durability_changed_) {
        tick_.WaitFor(tick_mutex_, is_sync ? kSyncTickPeriod : kTickPeriod);
      }
      if (stopping_) return;
      tends_durability = std::exchange(durability_changed_, false);
      held_replies_ended = std::exchange(held_replies_ended_, false);
    }
    if (tends_durability) TendDurability(held_replies_ended);
    primary_side_.in_sync().Tick(clock_.NowNanos());
    bool is_primary = false;
    {
      MutexLock lock(role_mutex_);
      is_primary = primary_host_.empty();
      PublishLinks(!is_primary && link_->status().state == LinkState::kConnected,
                   primary_side_.CountGood());
    }
    primary_side_.Tick(clock_.NowNanos(), is_primary);
  }
}

void ReplicationService::Adopt(ConnectedSocket socket, const ReplicaHandshake& handshake,
                               std::string received) {
  primary_side_.Adopt(std::move(socket), handshake, std::move(received));
}

void ReplicationService::PublishRole(bool is_primary) {
  MutexLock lock(published_mutex_);
  published_.is_primary = is_primary;
  published_.link_is_up = false;
  on_role_(published_);
}

void ReplicationService::PublishLinks(bool link_is_up, uint32_t good_replicas) {
  MutexLock lock(published_mutex_);
  if (published_.link_is_up == link_is_up && published_.good_replicas == good_replicas) return;
  published_.link_is_up = link_is_up;
  published_.good_replicas = good_replicas;
  on_role_(published_);
}

void ReplicationService::PublishLoading(bool loading) {
  MutexLock lock(published_mutex_);
  published_.loading = loading;
  on_role_(published_);
}

Status ReplicationService::ReplicaOf(std::string_view host, int port) {
  MutexLock lock(role_mutex_);
  const bool was_primary = primary_host_.empty();
  if (host.empty()) {
    if (was_primary) return Ok();
    link_->Release();
    primary_side_.Promote();
    primary_host_.clear();
    primary_side_.ConfigureSync(SyncAllowed(), true);
    keyspace_.set_may_expire(true);
    PublishRole(true);
    Log(LogLevel::kNotice, "replication", "this node is a primary now, at offset {}",
        keyspace_.change_log().head());
    return Ok();
  }
  if (host == primary_host_ && port == primary_port_) return Ok();
  primary_host_ = host;
  primary_port_ = port;
  PublishRole(false);
  keyspace_.set_may_expire(false);
  // Their history ends here; they ask again and are told how it goes on.
  if (was_primary) {
    primary_side_.AwaitSent(kParting);
    primary_side_.in_sync().Freeze();
    primary_side_.DropReplicas();
  }
  link_->Follow(primary_host_, port, !was_primary);
  Log(LogLevel::kNotice, "replication", "this node follows {}:{} now", host, port);
  return Ok();
}

void ReplicationService::ApplyDurability(bool allowed) {
  {
    MutexLock lock(tick_mutex_);
    sync_allowed_ = allowed;
    durability_changed_ = true;
    tick_.NotifyAll();
  }
  // At once: what leaves from now on leaves without the replicas, also if it is allowed again soon.
  if (!allowed) primary_side_.ConfigureSync(false);
}

void ReplicationService::ApplyDurability() {
  MutexLock lock(tick_mutex_);
  durability_changed_ = true;
  tick_.NotifyAll();
}

void ReplicationService::StartDurability() {
  ApplyDurability(true);
  TendDurability(false);
}

void ReplicationService::EndHeldReplies() {
  MutexLock lock(tick_mutex_);
  durability_changed_ = held_replies_ended_ = true;
  tick_.NotifyAll();
}

// On the ticks' thread, which may wait for a change of role.
void ReplicationService::TendDurability(bool held_replies_ended) {
  MutexLock lock(role_mutex_);
  const bool is_primary = primary_host_.empty();
  if (is_primary || held_replies_ended) primary_side_.ConfigureSync(is_primary && SyncAllowed());
}

bool ReplicationService::SyncAllowed() {
  MutexLock lock(tick_mutex_);
  return sync_allowed_;
}

ReplicationStatus ReplicationService::status() const {
  ReplicationStatus status;
  {
    MutexLock lock(role_mutex_);
    status.is_primary = primary_host_.empty();
    status.primary_host = primary_host_;
    status.primary_port = primary_port_;
  }
  status.ids = primary_side_.ids();
  status.offset = keyspace_.change_log().head();
  status.is_sync = primary_side_.in_sync().is_enabled();
  status.sync = primary_side_.in_sync().state();
  status.replicas = primary_side_.replicas();
  status.backlog_active = keyspace_.change_log().active();
  status.backlog = primary_side_.backlog_extent();
  const LinkStatus link = link_->status();
  const MonotonicNanos now = clock_.NowNanos();
  status.link_state = LinkStateName(link.state);
  status.sync_in_progress = link.state == LinkState::kSync;
  if (link.last_io != 0) status.last_io_seconds = (now - link.last_io) / kSecond;
  if (link.down_since != 0) status.link_down_seconds = (now - link.down_since) / kSecond;
  return status;
}

std::string ReplicationService::InfoText() const {
  const ReplicationStatus status = this->status();
  std::string out;
  const auto line = [&out](std::string_view name, const auto& value) {
    fmt::format_to(std::back_inserter(out), "{}:{}\r\n", name, value);
  };
  line("role", status.is_primary ? "master" : "slave");
  if (!status.is_primary) {
    line("master_host", status.primary_host);
    line("master_port", status.primary_port);
    line("master_link_status", status.link_up() ? "up" : "down");
    line("master_last_io_seconds_ago", status.link_up() ? status.last_io_seconds : -1);
    line("master_sync_in_progress", status.sync_in_progress ? 1 : 0);
    line("slave_read_repl_offset", status.offset);
    line("slave_repl_offset", status.offset);
    if (!status.link_up()) line("master_link_down_since_seconds", status.link_down_seconds);
    line("slave_priority", 100);
    line("slave_read_only", 1);
    line("replica_announced", 1);
  }
  line("connected_slaves", status.replicas.size());
  if (settings_().min_replicas > 0) line("min_slaves_good_slaves", primary_side_.CountGood());
  for (size_t i = 0; i < status.replicas.size(); ++i) {
    const ReplicaStatus& replica = status.replicas[i];
    line(fmt::format("slave{}", i),
         fmt::format("ip={},port={},state={},offset={},lag={}{}", replica.host, replica.port,
                     replica.state, replica.offset, replica.lag_seconds,
                     status.is_sync ? fmt::format(",in_sync={}", replica.in_sync ? 1 : 0) : ""));
  }
  if (status.is_sync) {
    line("in_sync_slaves", status.sync.in_sync);
    line("durable_repl_offset",
         status.sync.durable == InSyncSet::kEverything ? status.offset : status.sync.durable);
  }
  line("master_failover_state", "no-failover");
  line("master_replid", status.ids.current);
  line("master_replid2", status.ids.previous.empty() ? std::string(40, '0') : status.ids.previous);
  line("master_repl_offset", status.offset);
  // As Redis counts: the first byte that belongs to the new id only.
  line("second_repl_offset", status.ids.previous_end < 0 ? -1 : status.ids.previous_end + 1);
  line("repl_backlog_active", status.backlog_active ? 1 : 0);
  line("repl_backlog_size", status.backlog.size);
  line("repl_backlog_first_byte_offset", status.backlog_active ? status.backlog.begin + 1 : 0);
  line("repl_backlog_histlen",
       status.backlog_active ? status.backlog.end - status.backlog.begin : 0);
  return out;
}

}  // namespace mikura::engine
