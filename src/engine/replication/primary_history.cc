// SPDX-License-Identifier: Apache-2.0
// Whose history the node's log is: its own, or that of the primary it follows.
#include <fmt/format.h>
#include <sys/random.h>

#include <utility>

#include "base/check.h"
#include "engine/replication/primary_side.h"

namespace mikura::engine {

std::string NewReplicationId() {
  unsigned char bytes[20];
  CHECK(getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes));
  std::string id;
  for (const unsigned char byte : bytes) id += fmt::format("{:02x}", byte);
  return id;
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
  if (log.IsActiveFor(LogUse::kReplicas)) return;
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
  const bool is_known = keyspace_.change_log().IsActiveFor(LogUse::kReplicas) && !has_diverged_;
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
  if (!keyspace_.change_log().IsActiveFor(LogUse::kReplicas)) return Error{"there is no backlog"};
  if (!backlog_.AttachAt(cursor, lsn)) return Error{"its offset is not in the backlog"};
  return known.current;
}

}  // namespace mikura::engine
