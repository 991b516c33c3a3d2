// SPDX-License-Identifier: Apache-2.0
// The replication role of this node: primary or replica, and everything that belongs to it.
//
// Thread-safe; nothing here is called with a shard lock held.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/replication/failover_request.h"
#include "engine/replication/primary_side.h"
#include "engine/replication/replica_link.h"

namespace mikura::engine {

struct ReplicationStatus {
  bool is_primary = true;
  ReplicationIds ids;
  Lsn offset = 0;
  bool is_sync = false;  // of a primary: durability sync
  InSyncSet::State sync;
  std::vector<ReplicaStatus> replicas;
  bool backlog_active = false;
  Backlog::Extent backlog;
  // ---- Of a replica.
  std::string primary_host;
  int primary_port = 0;
  std::string link_state;  // connect, connecting, handshake, sync, connected
  LinkStatus link;
  bool sync_in_progress = false;
  int64_t last_io_seconds = -1;
  int64_t link_down_seconds = -1;  // never: it was not up yet

  bool link_up() const { return link_state == "connected"; }
};

enum class FailoverState : uint8_t { kNone, kWaitingForSync, kInProgress };

class ReplicationService {
 public:
  // What the rest of the node has to know of the role. Called in order, one call at a time.
  struct Role {
    bool is_primary = true;
    bool loading = false;       // a copy of the primary's data replaces this node's
    bool holds_writes = false;  // clients' writes wait: the role is being handed over
    // As of half a second ago.
    bool link_is_up = false;     // a replica's, to its primary
    uint32_t good_replicas = 0;  // PrimarySide::CountGood
  };
  using RoleListener = std::function<void(const Role&)>;

  // `executor` runs what a primary sends; see RecordExecutor.
  ReplicationService(Keyspace& keyspace, SnapshotSlots& slots, RecordExecutor& executor,
                     SettingsSource settings, RoleListener on_role);
  ~ReplicationService();

  // Takes over the connection of a client that sent PSYNC or SYNC (ClientState::replica), with what
  // it sent behind it. The socket is non-blocking and no longer polled by anybody. Does not block.
  void Adopt(ConnectedSocket socket, const ReplicaHandshake& handshake, std::string received);

  // Follows another node: from when this returns, clients' writes are refused; the copy of its data
  // comes later. An empty host: becomes a primary with the data it has; what the old primary sent
  // and this node has received is executed before this returns. Errors: the role is being handed
  // over.
  Status ReplicaOf(std::string_view host, int port);

  // The same, if the log of this node still ends at `position` when its last write has ended: then
  // nothing that was acknowledged is missing where that position has been reached. Errors: the log
  // goes on beyond; as above.
  Status StepDown(std::string_view host, int port, Lsn position);

  // The data were loaded from a file: they are those at `offset` of history `id`. Once, before
  // anything else; then a replica of before continues where the file ends, if that is still known.
  // database: the one that the stream has selected there.
  void Restore(const std::string& id, Lsn offset, int database) {
    primary_side_.Restore(id, offset, database);
  }

  // ---- FAILOVER, see replication_failover.cc. Errors: words for the client.
  Status StartFailover(const FailoverRequest& request);
  Status AbortFailover();
  // The primary, which has that id, asks this replica to be the primary.
  Status TakeOver(std::string_view id);

  // ---- For clients that wait for replicas (WAIT); the first may be called under locks.
  // Behind the last change that is logged.
  Lsn log_end() const { return keyspace_.change_log().head(); }
  // Of the replicas that are online.
  size_t ReplicasAt(Lsn lsn, bool on_disk) const { return primary_side_.CountAt(lsn, on_disk); }
  // Replicas acknowledge what they have, soon.
  void AskForAcks() { primary_side_.AskForAcks(); }
  // Set once, before any replica comes; called on threads of replication.
  void SetAckListener(std::function<void()> listener) {
    primary_side_.SetAckListener(std::move(listener));
  }

  // ---- durability sync. The listener: set once, before any replica comes; see InSyncSet.
  void SetSyncListener(InSyncSet::Listener listener) {
    primary_side_.SetSyncListener(std::move(listener));
  }
  // Makes the settings act, soon. allowed: false until all event loops hold replies back. Never
  // waits for anything, as all three.
  void ApplyDurability(bool allowed);
  // The same at once, before there are clients.
  void StartDurability();
  void ApplyDurability();
  InSyncSet& in_sync() { return primary_side_.in_sync(); }
  // See PrimarySide.
  bool TryAskForAcks(Lsn need) { return primary_side_.TryAskForAcks(need); }
  // The node became a replica, and what its event loops held back was failed: nothing waits here.
  void EndHeldReplies();
  // See PrimarySide.
  void SetReloadListener(std::function<void(bool begins)> listener) {
    primary_side_.SetReloadListener(std::move(listener));
  }
  void SetDiskPosition(std::function<std::optional<Lsn>()> position) {
    primary_side_.SetDiskPosition(std::move(position));
  }
  Status AtRest(const std::function<Status(int database)>& cut) {
    return primary_side_.AtRest(cut);
  }
  Status AtRest(const SnapshotSlots::Cut& cut) { return primary_side_.AtRest(cut); }

  // See PrimarySide; a replica logs nothing of its own anyway.
  void PrepareToEnd(bool begins);

  ReplicationStatus status() const;
  SyncCounts sync_counts() const { return primary_side_.sync_counts(); }
  // The lines of INFO's section "replication" behind its heading, with "\r\n" line ends.
  std::string InfoText() const;

  // Ends links and sessions; a primary first waits, for 2 s at most, until its replicas have
  // everything. Nothing may be adopted afterwards. May be called twice.
  void Stop();

 private:
  void PublishRole(bool is_primary, bool holds_writes);
  // At a gate: from then on nothing is logged but what a primary sends.
  void CeaseToLead(bool holds_writes);
  void PublishLoading(bool loading);
  void PublishLinks(bool link_is_up, uint32_t good_replicas);
  void RunTicks();
  bool is_primary() const EXCLUDES(place_mutex_);
  void SetPrimary(std::string_view host, int port) EXCLUDES(place_mutex_);
  void BecomePrimary() REQUIRES(role_mutex_);
  void BecomeReplica(std::string_view host, int port, const FollowTerms& terms)
      REQUIRES(role_mutex_);
  // ---- FAILOVER.
  void TendFailover();
  void AwaitTarget() REQUIRES(role_mutex_);
  bool HandOver(const std::string& host, int port, Lsn acknowledged) REQUIRES(role_mutex_);
  void EndFailover() REQUIRES(role_mutex_);
  void NoteHandover(bool agreed);
  void TendDurability(bool held_replies_ended) EXCLUDES(role_mutex_, tick_mutex_);
  bool SyncAllowed() EXCLUDES(tick_mutex_);

  Keyspace& keyspace_;
  const SettingsSource settings_;
  const RoleListener on_role_;
  SystemClock clock_;

  // Held while the role changes, which waits for shards and threads; taken before any other lock of
  // replication. Never taken by a command that may hold shards.
  mutable Mutex role_mutex_;
  FailoverRequest failover_ GUARDED_BY(role_mutex_);
  MonotonicNanos failover_began_ GUARDED_BY(role_mutex_) = 0;
  // Written with role_mutex_ held; publishes nothing but itself.
  std::atomic<FailoverState> failover_state_{FailoverState::kNone};

  // A leaf. Written with role_mutex_ held.
  mutable Mutex place_mutex_;
  std::string primary_host_ GUARDED_BY(place_mutex_);  // empty: this is a primary
  int primary_port_ GUARDED_BY(place_mutex_) = 0;

  // The role that was published, and its lock, which the link's thread takes while it loads.
  mutable Mutex published_mutex_;
  Role published_ GUARDED_BY(published_mutex_);

  PrimarySide primary_side_;
  std::unique_ptr<ReplicaLink> link_;

  Mutex tick_mutex_;
  CondVar tick_;
  bool stopping_ GUARDED_BY(tick_mutex_) = false;
  // What the replica said that shall become the primary.
  std::optional<bool> handover_agreed_ GUARDED_BY(tick_mutex_);
  bool sync_allowed_ GUARDED_BY(tick_mutex_) = false;
  bool durability_changed_ GUARDED_BY(tick_mutex_) = false;
  bool held_replies_ended_ GUARDED_BY(tick_mutex_) = false;
  std::thread tick_thread_;
};

}  // namespace mikura::engine
