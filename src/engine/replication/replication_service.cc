// SPDX-License-Identifier: Apache-2.0
#include "engine/replication/replication_service.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "base/logging.h"

namespace mikura::engine {
namespace {

constexpr milliseconds kTickPeriod{500};
constexpr milliseconds kFailoverTickPeriod{10};
// With durability sync: how soon a replica that is too far behind is noticed.
constexpr milliseconds kSyncTickPeriod{50};
// How long a primary that ends waits for its replicas.
constexpr milliseconds kFarewell{2000};
constexpr milliseconds kParting{100};  // a client waits for the change of role
constexpr MonotonicNanos kSecond = 1'000'000'000;

std::string_view LinkStateName(LinkState state) {
  switch (state) {
    case LinkState::kConnecting:
      return "connecting";
    case LinkState::kHandshake:
      return "handshake";
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
      tick_thread_([this] { RunTicks(); }) {
  link_->SetHandoverListener([this](bool agreed) { NoteHandover(agreed); });
}

ReplicationService::~ReplicationService() { Stop(); }

void ReplicationService::Stop() {
  {
    MutexLock lock(tick_mutex_);
    stopping_ = true;
    tick_.NotifyAll();
  }
  if (tick_thread_.joinable()) tick_thread_.join();
  link_->Release();
  // A replica has nothing of its own to hand on.
  if (is_primary()) primary_side_.AwaitReplicas(kFarewell);
  primary_side_.DropReplicas();
}

void ReplicationService::PrepareToEnd(bool begins) {
  MutexLock lock(role_mutex_);
  if (is_primary()) primary_side_.PrepareToEnd(begins);
}

void ReplicationService::RunTicks() {
  while (true) {
    const bool is_failing_over =
        failover_state_.load(std::memory_order_relaxed) != FailoverState::kNone;
    const milliseconds patience = is_failing_over                        ? kFailoverTickPeriod
                                  : primary_side_.in_sync().is_enabled() ? kSyncTickPeriod
                                                                         : kTickPeriod;
    bool tends_durability = false;
    bool held_replies_ended = false;
    {
      MutexLock lock(tick_mutex_);
      if (!stopping_ && !handover_agreed_ && !durability_changed_) {
        tick_.WaitFor(tick_mutex_, patience);
      }
      if (stopping_) return;
      tends_durability = std::exchange(durability_changed_, false);
      held_replies_ended = std::exchange(held_replies_ended_, false);
    }
    TendFailover();
    if (tends_durability) TendDurability(held_replies_ended);
    primary_side_.in_sync().Tick(clock_.NowNanos());
    bool is_primary = false;
    {
      MutexLock lock(role_mutex_);
      is_primary = this->is_primary();
      PublishLinks(!is_primary && link_->status().state == LinkState::kConnected,
                   primary_side_.CountGood());
    }
    primary_side_.Tick(clock_.NowNanos(), is_primary, !is_failing_over);
  }
}

void ReplicationService::Adopt(ConnectedSocket socket, const ReplicaHandshake& handshake,
                               std::string received) {
  primary_side_.Adopt(std::move(socket), handshake, std::move(received));
}

void ReplicationService::PublishRole(bool is_primary, bool holds_writes) {
  MutexLock lock(published_mutex_);
  published_.is_primary = is_primary;
  published_.holds_writes = holds_writes;
  published_.link_is_up = false;
  on_role_(published_);
}

void ReplicationService::CeaseToLead(bool holds_writes) {
  keyspace_.set_may_expire(false);
  keyspace_.change_log().SetFollows(true);
  PublishRole(false, holds_writes);
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
  if (failover_state_.load(std::memory_order_relaxed) != FailoverState::kNone) {
    return Error{"REPLICAOF not allowed while failing over."};
  }
  if (host.empty()) {
    if (!is_primary()) BecomePrimary();
    return Ok();
  }
  {
    MutexLock place(place_mutex_);
    if (host == primary_host_ && port == primary_port_) return Ok();
  }
  BecomeReplica(host, port, {});
  return Ok();
}

Status ReplicationService::StepDown(std::string_view host, int port, Lsn position) {
  MutexLock lock(role_mutex_);
  if (failover_state_.load(std::memory_order_relaxed) != FailoverState::kNone) {
    return Error{"not allowed while failing over"};
  }
  if (is_primary()) {
    bool is_there = false;
    keyspace_.WithGate({}, [&] {
      is_there = keyspace_.change_log().head() == position;
      if (is_there) CeaseToLead(false);
    });
    if (!is_there) return Error{"the log goes on beyond that position"};
  }
  BecomeReplica(host, port, {});
  return Ok();
}

void ReplicationService::BecomePrimary() {
  link_->Release();
  primary_side_.Promote();
  SetPrimary("", 0);
  primary_side_.ConfigureSync(SyncAllowed(), true);
  keyspace_.set_may_expire(true);
  PublishRole(true, false);
  Log(LogLevel::kNotice, "replication", "this node is a primary now, at offset {}",
      keyspace_.change_log().head());
}

// When the gate opens no client's write goes on, and none begins that is logged: a handler looks at
// the role under the locks of its shards. So the log's head is the end of what this node has
// written.
void ReplicationService::BecomeReplica(std::string_view host, int port, const FollowTerms& terms) {
  const bool was_primary = is_primary();
  const bool holds_writes = terms.hands_over;
  SetPrimary(host, port);
  FollowTerms adjusted = terms;
  if (was_primary) {
    keyspace_.WithGate({}, [&] { CeaseToLead(holds_writes); });
    adjusted.may_continue = keyspace_.change_log().active();
    primary_side_.ReclaimRestoredId();
    // They ask again and are told how it goes on.
    primary_side_.AwaitSent(kParting);
    primary_side_.in_sync().Freeze();
    primary_side_.DropReplicas();
  }
  link_->Follow(std::string(host), port, adjusted);
  Log(LogLevel::kNotice, "replication", "this node follows {}:{} now", host, port);
}

bool ReplicationService::is_primary() const {
  MutexLock lock(place_mutex_);
  return primary_host_.empty();
}

void ReplicationService::SetPrimary(std::string_view host, int port) {
  MutexLock lock(place_mutex_);
  primary_host_ = host;
  primary_port_ = port;
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
  const bool leads = is_primary();
  if (leads || held_replies_ended) primary_side_.ConfigureSync(leads && SyncAllowed());
}

bool ReplicationService::SyncAllowed() {
  MutexLock lock(tick_mutex_);
  return sync_allowed_;
}

ReplicationStatus ReplicationService::status() const {
  ReplicationStatus status;
  {
    MutexLock lock(place_mutex_);
    status.is_primary = primary_host_.empty();
    status.primary_host = primary_host_;
    status.primary_port = primary_port_;
  }
  status.ids = primary_side_.ids();
  status.offset = keyspace_.change_log().head();
  status.is_sync = primary_side_.in_sync().is_enabled();
  status.sync = primary_side_.in_sync().state();
  status.replicas = primary_side_.replicas();
  status.backlog_active = keyspace_.change_log().IsActiveFor(LogUse::kReplicas);
  status.backlog = primary_side_.backlog_extent();
  const LinkStatus link = link_->status();
  status.link = link;
  const MonotonicNanos now = clock_.NowNanos();
  status.link_state = LinkStateName(link.state);
  status.sync_in_progress = link.state == LinkState::kSync;
  if (link.last_io != 0) status.last_io_seconds = (now - link.last_io) / kSecond;
  if (link.down_since != 0 && link.was_connected)
    status.link_down_seconds = (now - link.down_since) / kSecond;
  return status;
}

}  // namespace mikura::engine
