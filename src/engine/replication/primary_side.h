// SPDX-License-Identifier: Apache-2.0
// What a node offers to its replicas: the replication id, the backlog, and a session for each. A
// replica offers the same to replicas of its own; then the log holds, byte for byte, what its
// primary sent.
//
// R1. The log is active from the first full sync until nobody has read it for a long time. When it
//     ends, the id changes: an offset of before must not be continued.
// R2. A full sync begins at a gate: activation, position and snapshot are one moment.
// R3. A replica appends a record after it has executed it, with apply_mutex() held over both; a
// full
//     sync takes it too, so that its snapshot never holds a record that its position does not
//     cover.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/keyspace/keyspace.h"
#include "engine/keyspace/own_deadlines.h"
#include "engine/net/connected_socket.h"
#include "engine/persistence/snapshot.h"
#include "engine/replication/backlog.h"
#include "engine/replication/in_sync_set.h"
#include "engine/replication/replica_handshake.h"
#include "engine/replication/replication_ids.h"
#include "engine/replication/replication_settings.h"

namespace mikura::engine {

class PrimarySession;

struct ReplicaStatus {
  std::string host;
  int port = 0;
  std::string state;  // wait_bgsave, send_bulk, online
  Lsn offset = 0;
  Lsn on_disk = -1;  // what it has acknowledged to be there
  Lsn sent = 0;
  int64_t lag_seconds = 0;  // since its last acknowledgement
  bool in_sync = false;     // durability sync waits for it
};

// How replicas were brought up to date, since the start.
struct SyncCounts {
  uint64_t full = 0;
  uint64_t partial = 0;
  uint64_t partial_refused = 0;
};

class PrimarySide {
 public:
  PrimarySide(Keyspace& keyspace, SnapshotSlots& slots, const SettingsSource& settings);
  ~PrimarySide();

  // Serves a connection that sent PSYNC or SYNC; `received`: bytes that came behind it.
  void Adopt(ConnectedSocket socket, const ReplicaHandshake& handshake, std::string received);
  // Waits until the replicas that are online have everything logged before the call, at most
  // `patience`. For a node that is about to end.
  void AwaitReplicas(std::chrono::milliseconds patience);
  // Before (true) the last snapshot is saved, while writes wait: from then on nothing is logged
  // that is not a change. False: the node goes on. Not under locks.
  void PrepareToEnd(bool begins);
  // Waits until everything logged before the call was sent to the replicas that are online, at most
  // `patience`. For a node that is about to follow another one.
  void AwaitSent(std::chrono::milliseconds patience);
  // How many of the replicas that are online have acknowledged everything before `lsn`; on_disk:
  // and that it is on disk.
  size_t CountAt(Lsn lsn, bool on_disk) const;
  // Makes them acknowledge now, not with their next regular report.
  void AskForAcks();
  // The same for event loops that hold replies back: soon all replicas acknowledge everything
  // before `need`. Never waits; false: it could not be asked now, try again.
  bool TryAskForAcks(Lsn need);
  // Called on sessions' threads when a replica has acknowledged something. Set once, before any
  // replica comes.
  void SetAckListener(std::function<void()> listener) { on_ack_ = std::move(listener); }
  // Called before (true) the data are replaced by a primary's, with nothing held, and when they
  // have been, or are to stay as they are. Set once, before any primary is followed.
  void SetReloadListener(std::function<void(bool begins)> listener) {
    on_reload_ = std::move(listener);
  }
  // Position before which everything is on the disk of this node; none: it writes no log. Set once,
  // before any primary is followed.
  void SetDiskPosition(std::function<std::optional<Lsn>()> position) {
    disk_position_ = std::move(position);
  }
  std::optional<Lsn> DiskPosition() const {
    return disk_position_ ? disk_position_() : std::nullopt;
  }
  // Runs `cut` while nothing is executed that a primary sent; `database`: see stream_database().
  // Errors: suspended; or those of `cut`.
  Status AtRest(const std::function<Status(int database)>& cut) EXCLUDES(apply_mutex_);
  // The same, with the stream's id, if the data are what that says up to the log's head.
  Status AtRest(const SnapshotSlots::Cut& cut) EXCLUDES(apply_mutex_);
  // A record was executed in part: until another copy comes, the data are at no place of the
  // stream.
  void NoteDivergence();
  // Of a session.
  void NoteAck() const {
    if (on_ack_) on_ack_();
  }

  // ---- durability sync. The listener: set once, before any replica comes; see InSyncSet.
  void SetSyncListener(InSyncSet::Listener listener) { on_sync_ = std::move(listener); }
  // By the settings; enabled: they may act, the node being a primary. begins_epoch: since now.
  void ConfigureSync(bool enabled, bool begins_epoch = false);
  InSyncSet& in_sync() { return in_sync_; }
  const InSyncSet& in_sync() const { return in_sync_; }

  // Ends all sessions and waits for their threads.
  void DropReplicas();
  std::vector<ReplicaStatus> replicas() const;
  // Replicas that are online and were heard of lately.
  uint32_t CountGood() const;

  // Some times a second: pings (on a primary), ended sessions, the end of an unread log.
  // `writes`: the node is a primary that may add to the log.
  void Tick(MonotonicNanos now, bool is_primary, bool writes);

  // ---- The role, from the owner of the replica's side.
  ReplicationIds ids() const;
  // A replica lost its data and is about to copy another's: no syncs, no log, until Resume().
  void Suspend();
  // Nobody is served while the role is being handed over.
  void set_hands_over(bool value) { hands_over_.store(value, std::memory_order_relaxed); }
  bool hands_over() const { return hands_over_.load(std::memory_order_relaxed); }
  // The data were loaded from a file that says where in whose history they stand. Once, before
  // anybody follows or is followed: as a primary the node goes on under an id of its own.
  // database: the one that the stream has selected there.
  void Restore(const std::string& id, Lsn lsn, int database);
  // About to follow: with nothing written since Restore(), and nobody served, the data are still
  // those of the restored id.
  void ReclaimRestoredId();
  // Goes on with the data, the id and the position of the primary.
  void Resume(const std::string& id, Lsn lsn);
  // The primary that is followed goes on under another id.
  void FollowNewId(const std::string& id);
  // Becomes a primary: a new id, continuing the history so far; a new history, if clients of the
  // replica have changed the data: nobody else has these.
  void Promote();
  // The database selected at the end of what the primary sent (0 on a primary).
  void set_stream_database(int database) { stream_database_ = database; }
  int stream_database() EXCLUDES(apply_mutex_) {
    MutexLock lock(apply_mutex_);
    return stream_database_;
  }
  Mutex& apply_mutex() RETURN_CAPABILITY(apply_mutex_) { return apply_mutex_; }
  // On a replica, with apply_mutex() held: what was received and executed.
  void AppendReceived(std::string_view record) REQUIRES(apply_mutex_);

  // ---- For sessions.
  struct FullSync {
    std::unique_ptr<Snapshot> snapshot;
    std::string id;
    int stream_database = 0;
  };
  // Snapshots hold back as much as they may: who can, changes nothing meanwhile.
  bool SnapshotsAreFull() const { return slots_.backlog().is_full(); }
  // Begins a snapshot and attaches the cursor at its position. Errors: no snapshot can begin now;
  // try again. Suspended: is_suspended().
  Result<FullSync> BeginFullSync(Backlog::Cursor& cursor, Snapshot::Waiter waiter);
  // Attaches the cursor at the wanted offset, when it can be continued; returns the current id.
  Result<std::string> BeginPartialSync(const ReplicaHandshake& handshake, Backlog::Cursor& cursor);
  void NotePartialSync(bool continues) {
    (continues ? partial_syncs_ : refused_syncs_).fetch_add(1, std::memory_order_relaxed);
  }
  SyncCounts sync_counts() const {
    return {full_syncs_.load(std::memory_order_relaxed),
            partial_syncs_.load(std::memory_order_relaxed),
            refused_syncs_.load(std::memory_order_relaxed)};
  }
  bool is_suspended() const;
  Backlog& backlog() { return backlog_; }
  Backlog::Extent backlog_extent() const { return backlog_.extent(); }
  const SettingsSource& settings() const { return settings_; }

 private:
  void ReapSessions();
  bool AllOnlineHave(Lsn lsn) const;
  bool AllOnlineWereSent(Lsn lsn) const;
  void Activate() REQUIRES(sync_mutex_);
  void Deactivate() REQUIRES(sync_mutex_) EXCLUDES(apply_mutex_);
  OwnDeadlines::Keys BeginOwnHistory() EXCLUDES(ids_mutex_);

  Keyspace& keyspace_;
  SnapshotSlots& slots_;
  const SettingsSource& settings_;
  Backlog backlog_;
  std::function<void()> on_ack_;
  // Publishes nothing but itself, to sessions that begin.
  std::atomic<bool> hands_over_{false};
  InSyncSet::Listener on_sync_;
  InSyncSet in_sync_;
  // Up to where replicas were asked to acknowledge; publishes nothing but itself.
  std::atomic<Lsn> asked_{0};
  // The end of what AskForAcks() logged last; publishes nothing but itself.
  std::atomic<Lsn> last_ask_{-1};
  std::atomic<bool> is_quiet_{false};  // PrepareToEnd(); publishes nothing but itself
  std::function<void(bool begins)> on_reload_;
  std::function<std::optional<Lsn>()> disk_position_;
  // Publish nothing but themselves, to INFO.
  std::atomic<uint64_t> full_syncs_{0};
  std::atomic<uint64_t> partial_syncs_{0};
  std::atomic<uint64_t> refused_syncs_{0};

  // Order: sync_mutex_, apply_mutex_, then shard locks, then the others.
  mutable Mutex sync_mutex_;
  bool suspended_ GUARDED_BY(sync_mutex_) = false;
  Mutex apply_mutex_;
  // Written with apply_mutex_ held, published by it to BeginFullSync.
  int stream_database_ = 0;
  bool has_diverged_ GUARDED_BY(apply_mutex_) = false;

  mutable Mutex ids_mutex_;
  ReplicationIds ids_ GUARDED_BY(ids_mutex_);
  // ---- Of Restore(); on the role's owner's thread.
  std::string restored_id_;  // the current one of before any sync
  int restored_database_ = 0;

  mutable Mutex sessions_mutex_;
  std::vector<std::unique_ptr<PrimarySession>> sessions_ GUARDED_BY(sessions_mutex_);
  MonotonicNanos last_ping_ = 0;      // Tick's
  MonotonicNanos last_attended_ = 0;  // Tick's: when a session was there last
};

}  // namespace mikura::engine
