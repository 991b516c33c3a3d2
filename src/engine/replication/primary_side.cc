// SPDX-License-Identifier: Apache-2.0
#include "engine/replication/primary_side.h"

#include <algorithm>
#include <thread>

#include "base/logging.h"
#include "base/thread_index.h"
#include "engine/replication/primary_session.h"

namespace mikura::engine {
namespace {

constexpr size_t kSessionsMax = 32;  // a thread each
constexpr uint32_t kAskTries = 16;   // shards whose lock may be taken
constexpr std::string_view kPing = "*1\r\n$4\r\nPING\r\n";
constexpr std::string_view kGetAck = "*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n";

// For replicas; the append log alone is no reason for what only they need.
bool IsKept(const ChangeLog& log) { return log.IsActiveFor(LogUse::kReplicas); }

}  // namespace

PrimarySide::PrimarySide(Keyspace& keyspace, SnapshotSlots& slots, const SettingsSource& settings)
    : keyspace_(keyspace),
      slots_(slots),
      settings_(settings),
      backlog_(settings().backlog_bytes, settings().lag_limits),
      in_sync_([&keyspace] { return keyspace.change_log().head(); },
               [this](const InSyncSet::State& state) {
                 if (on_sync_) on_sync_(state);
               }) {
  ids_.current = NewReplicationId();
  keyspace_.change_log().AddReader(backlog_);
}

PrimarySide::~PrimarySide() {
  DropReplicas();
  keyspace_.change_log().RemoveReader(backlog_);
}

void PrimarySide::Adopt(ConnectedSocket socket, const ReplicaHandshake& handshake,
                        std::string received) {
  auto session =
      std::make_unique<PrimarySession>(*this, std::move(socket), handshake, std::move(received));
  MutexLock lock(sessions_mutex_);
  if (sessions_.size() >= kSessionsMax) {
    Log(LogLevel::kWarning, "replication", "refused a replica: there are {} already", kSessionsMax);
    return;
  }
  session->Start();
  sessions_.push_back(std::move(session));
}

void PrimarySide::AwaitReplicas(std::chrono::milliseconds patience) {
  ChangeLog& log = keyspace_.change_log();
  Lsn lsn = log.head();
  if (!IsKept(log) || AllOnlineHave(lsn)) return;
  // A node that has saved its data must not log anything behind: then its replicas continue with
  // it.
  if (last_ask_.load(std::memory_order_relaxed) == lsn) {
    lsn -= static_cast<Lsn>(kGetAck.size());
  } else {
    AskForAcks();
  }
  const auto limit = std::chrono::steady_clock::now() + patience;
  while (!AllOnlineHave(lsn) && std::chrono::steady_clock::now() < limit) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

void PrimarySide::AskForAcks() {
  ChangeLog& log = keyspace_.change_log();
  {
    ShardGuard guard(keyspace_.lock(0));
    if (IsKept(log)) last_ask_.store(log.Append(kGetAck), std::memory_order_relaxed);
  }
  log.Wake();
}

void PrimarySide::PrepareToEnd(bool begins) {
  is_quiet_.store(begins, std::memory_order_relaxed);
  if (!begins) return;
  // What runs still was let in before writes were held.
  keyspace_.WithGate({}, [] {});
  AskForAcks();
}

// Under the lock of any shard the log is not switched off meanwhile.
bool PrimarySide::TryAskForAcks(Lsn need) NO_THREAD_SAFETY_ANALYSIS {
  if (asked_.load(std::memory_order_relaxed) >= need) return true;
  if (!in_sync_.NoteDemand(SystemClock().NowNanos())) return true;
  ChangeLog& log = keyspace_.change_log();
  for (uint32_t i = 0; i < kAskTries; ++i) {
    ShardLock& lock = keyspace_.lock((ThreadIndex() * kAskTries + i) % kShardCount);
    if (!lock.TryLock()) continue;
    const bool active = log.active();
    const Lsn end = active ? log.Append(kGetAck) : 0;
    lock.Unlock();
    if (!active) return true;
    log.Wake();
    const Lsn covered = end - static_cast<Lsn>(kGetAck.size());
    Lsn asked = asked_.load(std::memory_order_relaxed);
    while (asked < covered && !asked_.compare_exchange_weak(asked, covered)) {
    }
    return true;
  }
  return false;
}

void PrimarySide::ConfigureSync(bool enabled, bool begins_epoch) {
  const ReplicationSettings settings = settings_();
  in_sync_.Configure({.enabled = enabled && settings.is_sync,
                      .lag_max = settings.sync_lag_max,
                      .needed = settings.in_sync_needed,
                      .needs_agreement = settings.in_sync_by_agreement},
                     SystemClock().NowNanos(), begins_epoch);
}

size_t PrimarySide::CountAt(Lsn lsn, bool on_disk) const {
  const std::vector<ReplicaStatus> all = replicas();
  return static_cast<size_t>(
      std::count_if(all.begin(), all.end(), [&](const ReplicaStatus& replica) {
        return replica.state == "online" && (on_disk ? replica.on_disk : replica.offset) >= lsn;
      }));
}

bool PrimarySide::AllOnlineHave(Lsn lsn) const {
  const std::vector<ReplicaStatus> all = replicas();
  return std::all_of(all.begin(), all.end(), [lsn](const ReplicaStatus& replica) {
    return replica.state != "online" || replica.offset >= lsn;
  });
}

void PrimarySide::AwaitSent(std::chrono::milliseconds patience) {
  ChangeLog& log = keyspace_.change_log();
  if (!IsKept(log)) return;
  const Lsn lsn = log.head();
  log.Wake();
  const auto limit = std::chrono::steady_clock::now() + patience;
  while (!AllOnlineWereSent(lsn) && std::chrono::steady_clock::now() < limit) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

bool PrimarySide::AllOnlineWereSent(Lsn lsn) const {
  const std::vector<ReplicaStatus> all = replicas();
  return std::all_of(all.begin(), all.end(), [lsn](const ReplicaStatus& replica) {
    // One that has its snapshot is online in a moment.
    return replica.state == "wait_bgsave" || replica.sent >= lsn;
  });
}

void PrimarySide::DropReplicas() {
  std::vector<std::unique_ptr<PrimarySession>> dropped;
  {
    MutexLock lock(sessions_mutex_);
    dropped.swap(sessions_);
  }
  for (const auto& session : dropped) session->Interrupt();
  dropped.clear();  // joins
}

std::vector<ReplicaStatus> PrimarySide::replicas() const {
  std::vector<ReplicaStatus> all;
  MutexLock lock(sessions_mutex_);
  for (const auto& session : sessions_) {
    if (session->ended()) continue;
    all.push_back(session->status());
    all.back().in_sync = in_sync_.IsInSync(session.get());
  }
  return all;
}

uint32_t PrimarySide::CountGood() const {
  const int64_t lag_max = settings_().replica_lag_max.count();
  uint32_t count = 0;
  for (const ReplicaStatus& replica : replicas()) {
    if (replica.state == "online" && replica.lag_seconds <= lag_max) ++count;
  }
  return count;
}

void PrimarySide::ReapSessions() {
  std::vector<std::unique_ptr<PrimarySession>> ended;
  MutexLock lock(sessions_mutex_);
  for (auto& session : sessions_) {
    if (session->ended()) ended.push_back(std::move(session));
  }
  std::erase(sessions_, nullptr);
}

void PrimarySide::Tick(MonotonicNanos now, bool is_primary, bool writes) {
  ReapSessions();
  const ReplicationSettings settings = settings_();
  backlog_.set_size(settings.backlog_bytes);
  backlog_.set_limits(settings.lag_limits);
  backlog_.CutSlow(now);
  bool attended = !is_primary;
  {
    MutexLock lock(sessions_mutex_);
    attended = attended || !sessions_.empty();
  }
  ChangeLog& log = keyspace_.change_log();
  if (attended || last_attended_ == 0) last_attended_ = now;
  // The first one comes after a whole period.
  if (!is_primary || !attended || last_ping_ == 0) last_ping_ = now;
  if (!IsKept(log)) return;
  const bool is_quiet = is_quiet_.load(std::memory_order_relaxed);
  if (is_primary && writes && attended && !is_quiet &&
      now - last_ping_ >= std::chrono::nanoseconds(settings.ping_period).count()) {
    last_ping_ = now;
    ShardGuard guard(keyspace_.lock(0));
    if (IsKept(log)) log.Append(kPing);
  }
  const bool may_end = settings.unread_log_time.count() > 0;
  if (may_end &&
      now - last_attended_ >= std::chrono::nanoseconds(settings.unread_log_time).count()) {
    MutexLock sync(sync_mutex_);
    MutexLock lock(sessions_mutex_);
    if (!sessions_.empty()) return;
    Deactivate();
    MutexLock ids(ids_mutex_);
    ids_ = {NewReplicationId(), "", -1};
  }
}

}  // namespace mikura::engine
