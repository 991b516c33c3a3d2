// SPDX-License-Identifier: Apache-2.0
// FAILOVER: this primary hands its role to one of its replicas, and no write is lost.
//
//   no-failover -> waiting-for-sync -> failover-in-progress -> no-failover
//
// P1. Clients' writes wait from the beginning to the end. Then they run: here, if it came to
//     nothing, and otherwise they are told that this is a replica.
// P2. This node ceases to be a primary at a gate at which the replica has acknowledged the end of
//     the log; force does without, at the end of the timeout.
// P3. Then it follows the replica, and asks it to be the primary. Refused, it is one again.
// P4. Nothing is added to the log meanwhile, pings included.
#include <algorithm>

#include "base/logging.h"
#include "engine/replication/replication_service.h"

namespace mikura::engine {
namespace {

constexpr Lsn kAnyPosition = -1;

bool IsNamed(const ReplicaStatus& replica, const std::string& host, int port) {
  return replica.host == host && replica.port == port;
}

Status CheckTarget(const std::vector<ReplicaStatus>& replicas, const FailoverRequest& request) {
  if (replicas.empty()) return Error{"FAILOVER requires connected replicas."};
  if (request.is_forced && (!request.timeout || request.host.empty())) {
    return Error{"FAILOVER with force option requires both a timeout and target HOST and IP."};
  }
  if (request.host.empty()) return Ok();
  const auto target = std::find_if(
      replicas.begin(), replicas.end(),
      [&](const ReplicaStatus& replica) { return IsNamed(replica, request.host, request.port); });
  if (target == replicas.end()) {
    return Error{"FAILOVER target HOST and PORT is not a replica."};
  }
  if (target->state != "online") return Error{"FAILOVER target replica is not online."};
  return Ok();
}

}  // namespace

Status ReplicationService::StartFailover(const FailoverRequest& request) {
  MutexLock lock(role_mutex_);
  if (failover_state_.load(std::memory_order_relaxed) != FailoverState::kNone) {
    return Error{"FAILOVER already in progress."};
  }
  if (!is_primary()) return Error{"FAILOVER is not valid when server is a replica."};
  RETURN_IF_ERROR(CheckTarget(primary_side_.replicas(), request));
  failover_ = request;
  failover_began_ = clock_.NowNanos();
  failover_state_.store(FailoverState::kWaitingForSync, std::memory_order_relaxed);
  primary_side_.set_hands_over(true);
  PublishRole(true, true);
  Log(LogLevel::kNotice, "replication", "failover to {} begins",
      request.host.empty() ? "any replica" : fmt::format("{}:{}", request.host, request.port));
  MutexLock tick(tick_mutex_);
  handover_agreed_.reset();
  tick_.NotifyAll();
  return Ok();
}

Status ReplicationService::AbortFailover() {
  MutexLock lock(role_mutex_);
  const FailoverState state = failover_state_.load(std::memory_order_relaxed);
  if (state == FailoverState::kNone) return Error{"No failover in progress."};
  Log(LogLevel::kNotice, "replication", "failover: aborted by a client");
  if (state == FailoverState::kInProgress) BecomePrimary();
  EndFailover();
  return Ok();
}

// What the primary has sent is executed first; its replicas, and it itself, continue from there.
Status ReplicationService::TakeOver(std::string_view id) {
  MutexLock lock(role_mutex_);
  if (is_primary()) return Error{"PSYNC FAILOVER can't be sent to a master."};
  if (id != primary_side_.ids().current) {
    return Error{"PSYNC FAILOVER replid must match my replid."};
  }
  Log(LogLevel::kNotice, "replication", "the primary hands over its role");
  BecomePrimary();
  return Ok();
}

void ReplicationService::EndFailover() {
  failover_state_.store(FailoverState::kNone, std::memory_order_relaxed);
  primary_side_.set_hands_over(false);
  PublishRole(is_primary(), false);
}

// On the link's thread, which whoever changes the role waits for.
void ReplicationService::NoteHandover(bool agreed) {
  MutexLock lock(tick_mutex_);
  handover_agreed_ = agreed;
  tick_.NotifyAll();
}

void ReplicationService::TendFailover() {
  std::optional<bool> agreed;
  {
    MutexLock lock(tick_mutex_);
    agreed.swap(handover_agreed_);
  }
  if (failover_state_.load(std::memory_order_relaxed) == FailoverState::kNone) return;
  MutexLock lock(role_mutex_);
  const FailoverState state = failover_state_.load(std::memory_order_relaxed);
  if (state == FailoverState::kWaitingForSync) AwaitTarget();
  if (state != FailoverState::kInProgress || !agreed) return;
  if (!*agreed) {
    Log(LogLevel::kWarning, "replication", "failover: the replica refuses");
    BecomePrimary();
  } else {
    Log(LogLevel::kNotice, "replication", "failover: the role is handed over");
  }
  EndFailover();
}

void ReplicationService::AwaitTarget() {
  for (const ReplicaStatus& replica : primary_side_.replicas()) {
    if (replica.state != "online") continue;
    if (!failover_.host.empty() && !IsNamed(replica, failover_.host, failover_.port)) continue;
    if (replica.offset == keyspace_.change_log().head() &&
        HandOver(replica.host, replica.port, replica.offset)) {
      return;
    }
  }
  if (!failover_.timeout) return;
  const auto waited = std::chrono::nanoseconds(clock_.NowNanos() - failover_began_);
  if (waited < *failover_.timeout) return;
  if (failover_.is_forced) {
    HandOver(failover_.host, failover_.port, kAnyPosition);
    return;
  }
  Log(LogLevel::kWarning, "replication", "failover: no replica caught up in time");
  EndFailover();
}

bool ReplicationService::HandOver(const std::string& host, int port, Lsn acknowledged) {
  bool is_complete = true;
  keyspace_.WithGate({}, [&] {
    // A write that was let in before they were held may have come in between.
    is_complete = acknowledged == kAnyPosition || acknowledged == keyspace_.change_log().head();
    if (is_complete) CeaseToLead(true);
  });
  if (!is_complete) return false;
  failover_state_.store(FailoverState::kInProgress, std::memory_order_relaxed);
  BecomeReplica(host, port, {.may_continue = true, .hands_over = true});
  return true;
}

}  // namespace mikura::engine
