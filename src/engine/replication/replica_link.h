// SPDX-License-Identifier: Apache-2.0
// The replica's side: follows one primary, on a thread of its own.
//
//   none -> connect -> connecting -> handshake -> sync -> connected -> (link lost) -> connect ...
//
// F1. What was received is executed and appended to the log as one step (PrimarySide, R3), so the
//     log's head is the offset that this node has reached.
// F2. It asks to continue only while its data is that of the id and offset it names: not after a
//     full sync that was not finished, not after a record that failed. One that was a primary names
//     what it wrote itself; whoever follows that history knows up to where.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/keyspace/keyspace.h"
#include "engine/replication/link_socket.h"
#include "engine/replication/primary_side.h"
#include "engine/replication/record_executor.h"
#include "engine/replication/record_reader.h"
#include "engine/replication/snapshot_spool.h"

namespace mikura::engine {

enum class LinkState : uint8_t { kNone, kConnect, kConnecting, kHandshake, kSync, kConnected };

struct LinkStatus {
  LinkState state = LinkState::kNone;
  MonotonicNanos last_io = 0;
  MonotonicNanos down_since = 0;  // 0 while connected
  bool was_connected = false;     // to this primary
  // Of a full sync that goes on; total: -1 not known yet, 0 never known.
  int64_t sync_total_bytes = -1;
  int64_t sync_read_bytes = 0;
};

// What the node that is to be followed from now on has to know.
struct FollowTerms {
  // Whether the data of this node is that of its id and offset; none: as before (F2).
  std::optional<bool> may_continue;
  // It is a replica still, which is asked to become the primary (FAILOVER).
  bool hands_over = false;
};

class ReplicaLink {
 public:
  // on_loading: told on the link's thread when the data begins and ceases to be replaced.
  ReplicaLink(Keyspace& keyspace, PrimarySide& side, RecordExecutor& executor,
              const SettingsSource& settings, std::function<void(bool)> on_loading);
  ~ReplicaLink();

  // Follows this primary from now on; returns at once.
  void Follow(const std::string& host, int port, const FollowTerms& terms);
  // Of FollowTerms::hands_over: told on the link's thread whether the node has agreed. Set once,
  // before anybody is followed.
  void SetHandoverListener(std::function<void(bool agreed)> listener) {
    on_handover_ = std::move(listener);
  }
  // Ceases to follow: executes what the socket holds already, then returns. Blocks for as long.
  void Release();

  LinkStatus status() const;

 private:
  struct Target {
    std::string host;  // empty: none
    int port = 0;
    uint64_t generation = 0;
    FollowTerms terms;
  };

  void Run();
  // Waits until there is somebody to follow, and, for the same one as before, until `patience` is
  // over; makes the socket. False at the end.
  bool AwaitTarget(milliseconds patience, Target& target);
  Status FollowOnce(const Target& target);
  Status Handshake();
  Status Authenticate(const ReplicationSettings& settings);
  Status Synchronize();
  Status FullSync(const std::string& id, Lsn lsn);
  // What the primary says of a snapshot: its length, or the mark behind it.
  struct Announcement {
    std::optional<uint64_t> length;
    std::string mark;
  };
  static Result<Announcement> ParseAnnouncement(const std::string& line);
  bool MustReceiveFirst() const;
  Status ReceiveInto(const Announcement& announcement, SnapshotSpool& spool);
  // spool: the whole snapshot; null: it comes from the socket.
  Status Load(const Announcement& announcement, SnapshotSpool* spool);
  Status ExpectMark(const std::string& mark);
  Status StreamLoop();
  Result<bool> ExecuteReceived(bool may_pause);
  Status ExecuteRecord(const RecordReader::Record& record);
  void FinishReceived();
  Status SendAck();

  // One reply line of the primary, without its end; skips empty lines.
  Result<std::string> ReadLine(milliseconds timeout);
  Result<std::string> Ask(std::initializer_list<std::string_view> words);
  void NoteIo() { last_io_.store(clock_.NowNanos(), std::memory_order_relaxed); }
  void SetState(LinkState state) { state_.store(state, std::memory_order_relaxed); }

  Keyspace& keyspace_;
  PrimarySide& side_;
  RecordExecutor& executor_;
  const SettingsSource& settings_;
  const std::function<void(bool)> on_loading_;
  std::function<void(bool)> on_handover_;
  SystemClock clock_;

  mutable Mutex mutex_;
  CondVar changed_;
  Target target_ GUARDED_BY(mutex_);
  // Shared by the link's thread, which works with it, and whoever interrupts it.
  std::shared_ptr<LinkSocket> current_ GUARDED_BY(mutex_);
  bool idle_ GUARDED_BY(mutex_) = true;  // the thread follows nobody
  bool stopping_ GUARDED_BY(mutex_) = false;

  // ---- The link's thread.
  std::shared_ptr<LinkSocket> socket_;
  std::string input_;  // received, not yet given to reader_
  std::unique_ptr<RecordReader> reader_;
  uint64_t generation_ = 0;  // of the target that is followed
  bool may_continue_ = false;
  bool hands_over_ = false;
  MonotonicNanos connected_at_ = 0;
  int database_ = 0;
  MonotonicNanos next_ack_ = 0;
  std::string receive_buffer_;

  // For status() on other threads.
  std::atomic<LinkState> state_{LinkState::kNone};
  std::atomic<MonotonicNanos> last_io_{0};
  std::atomic<MonotonicNanos> down_since_{0};
  std::atomic<bool> was_connected_{false};
  std::atomic<int64_t> sync_total_bytes_{-1};
  std::atomic<int64_t> sync_read_bytes_{0};

  std::thread thread_;
};

}  // namespace mikura::engine
