// SPDX-License-Identifier: Apache-2.0
#include "engine/replication/primary_side.h"

#include <sys/random.h>

#include <algorithm>
#include <thread>

#include "base/check.h"
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

std::string NewReplicationId() {
  unsigned char bytes[20];
  CHECK(getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes));
  std::string id;
  for (const unsigned char byte : bytes) id += fmt::format("{:02x}", byte);
  return id;
}

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

ReplicationIds PrimarySide::ids() const {
  MutexLock lock(ids_mutex_);
  return ids_;
}

bool PrimarySide::is_suspended() const {
  MutexLock lock(sync_mutex_);
  return suspended_;
}

void PrimarySide::Activate() {
  ChangeLog& log = keyspace_.change_log();
  if (IsKept(log)) return;
  if (!log.active()) backlog_.Reset(log.head());
  keyspace_.WithGate({}, [&] { log.SetActive(true); });
  log.Wake();
}

void PrimarySide::Deactivate() {
  MutexLock apply(apply_mutex_);
  ChangeLog& log = keyspace_.change_log();
  keyspace_.WithGate({}, [&] { log.SetActive(false); });
  log.Drain();
}

void PrimarySide::Suspend() {
  if (on_reload_) on_reload_(true);
  {
    MutexLock sync(sync_mutex_);
    suspended_ = true;
  }
  // No session begins to copy any more; those that do end here.
  DropReplicas();
  MutexLock sync(sync_mutex_);
  Deactivate();
  keyspace_.change_log().ForgetOwnChanges();
}

void PrimarySide::Resume(const std::string& id, Lsn lsn) {
  {
    MutexLock sync(sync_mutex_);
    asked_.store(0, std::memory_order_relaxed);
    keyspace_.change_log().SetHead(lsn);
    // A session adopted meanwhile holds no cursor: BeginFullSync refused it.
    Activate();
    suspended_ = false;
    MutexLock apply(apply_mutex_);
    has_diverged_ = false;
    MutexLock lock(ids_mutex_);
    ids_ = {id, "", -1};
  }
  if (on_reload_) on_reload_(false);
}

Status PrimarySide::AtRest(const std::function<Status(int database)>& cut) {
  MutexLock sync(sync_mutex_);
  if (suspended_) return Error{"the data of a primary replace those of this node"};
  MutexLock apply(apply_mutex_);
  return cut(stream_database_);
}

Status PrimarySide::AtRest(const SnapshotSlots::Cut& cut) {
  MutexLock sync(sync_mutex_);
  if (suspended_) return Error{"the data of a primary replace those of this node"};
  MutexLock apply(apply_mutex_);
  const bool is_known = IsKept(keyspace_.change_log()) && !has_diverged_;
  return cut({is_known ? ids().current : std::string(), stream_database_});
}

void PrimarySide::NoteDivergence() {
  MutexLock apply(apply_mutex_);
  has_diverged_ = true;
}

void PrimarySide::Restore(const std::string& id, Lsn lsn, int database) {
  MutexLock sync(sync_mutex_);
  keyspace_.change_log().SetHead(lsn);
  Activate();
  keyspace_.change_log().ForgetDatabase();
  MutexLock lock(ids_mutex_);
  ids_ = {NewReplicationId(), id, lsn};
  restored_id_ = ids_.current;
  restored_database_ = database;
}

void PrimarySide::ReclaimRestoredId() {
  MutexLock sync(sync_mutex_);
  MutexLock apply(apply_mutex_);
  MutexLock lock(ids_mutex_);
  const bool is_untouched = !restored_id_.empty() && ids_.current == restored_id_ &&
                            keyspace_.change_log().head() == ids_.previous_end &&
                            full_syncs_.load(std::memory_order_relaxed) == 0 &&
                            partial_syncs_.load(std::memory_order_relaxed) == 0;
  if (!is_untouched) return;
  ids_ = {ids_.previous, "", -1};
  stream_database_ = restored_database_;
}

void PrimarySide::FollowNewId(const std::string& id) {
  {
    MutexLock lock(ids_mutex_);
    if (!ids_.GoOnAs(id, keyspace_.change_log().head())) return;
  }
  // What follows has another name: they ask again, continue, and are told it.
  DropReplicas();
}

void PrimarySide::Promote() {
  // Where clients may write before that is published, nobody is served meanwhile: what they write
  // under the new id must not be taken for the history of the old one.
  if (!settings_().is_read_only) {
    {
      MutexLock sync(sync_mutex_);
      suspended_ = true;
    }
    DropReplicas();
  }
  {
    MutexLock sync(sync_mutex_);
    suspended_ = false;
    MutexLock apply(apply_mutex_);
    asked_.store(0, std::memory_order_relaxed);
    // Freed with no shard held.
    const OwnDeadlines::Keys forgotten = BeginOwnHistory();
    stream_database_ = 0;
    has_diverged_ = false;  // it is a history of its own
  }
  // Before anything is written: who follows is to know it by its own name, as in FollowNewId().
  DropReplicas();
  if (on_reload_) on_reload_(false);
}

// From the gate on what clients change is logged, under the new id.
OwnDeadlines::Keys PrimarySide::BeginOwnHistory() {
  ChangeLog& log = keyspace_.change_log();
  OwnDeadlines::Keys forgotten;
  keyspace_.WithGate({}, [&] {
    const Lsn end = log.head();
    // What came from the primary may be known to no other replica: in sync nobody is shown it
    // before.
    keyspace_.MarkAllChanged(end);
    forgotten = keyspace_.own_deadlines().TakeAll();
    MutexLock lock(ids_mutex_);
    if (log.has_own_changes()) {
      ids_ = {NewReplicationId(), "", -1};
    } else {
      ids_.GoOnAs(NewReplicationId(), end);
    }
    log.ForgetOwnChanges();
    log.ForgetDatabase();  // its own records follow those of another primary
    log.SetFollows(false);
  });
  return forgotten;
}

void PrimarySide::AppendReceived(std::string_view record) {
  ChangeLog& log = keyspace_.change_log();
  if (log.active()) {
    log.Append(record);
    log.Wake();
  } else {
    log.SetHead(log.head() + static_cast<Lsn>(record.size()));
  }
}

Result<PrimarySide::FullSync> PrimarySide::BeginFullSync(Backlog::Cursor& cursor,
                                                         Snapshot::Waiter waiter) {
  MutexLock sync(sync_mutex_);
  if (suspended_) return Error{"the node is loading its own primary's data"};
  MutexLock apply(apply_mutex_);
  ChangeLog& log = keyspace_.change_log();
  if (!log.active()) backlog_.Reset(log.head());
  backlog_.AttachAtEnd(cursor);
  auto snapshot = Snapshot::Begin(
      keyspace_, slots_, [&] { log.SetActive(true); }, waiter);
  log.Wake();
  if (!snapshot.ok()) {
    backlog_.Detach(cursor);
    return std::move(snapshot).error();
  }
  FullSync sync_data{std::move(snapshot).value(), ids().current, stream_database_};
  backlog_.Seek(cursor, sync_data.snapshot->lsn());
  full_syncs_.fetch_add(1, std::memory_order_relaxed);
  return sync_data;
}

Result<std::string> PrimarySide::BeginPartialSync(const ReplicaHandshake& handshake,
                                                  Backlog::Cursor& cursor) {
  MutexLock sync(sync_mutex_);
  if (suspended_) return Error{"the node is loading its own primary's data"};
  const ReplicationIds known = ids();
  // The offset names the first byte that is lacking, counted from 1.
  const Lsn lsn = handshake.wanted_offset - 1;
  if (!known.Covers(handshake.wanted_id, lsn)) return Error{"it followed another history"};
  if (!IsKept(keyspace_.change_log())) return Error{"there is no backlog"};
  if (!backlog_.AttachAt(cursor, lsn)) return Error{"its offset is not in the backlog"};
  return known.current;
}

}  // namespace mikura::engine
