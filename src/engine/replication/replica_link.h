// SPDX-License-Identifier: Apache-2.0
// The replica's side: follows one primary, on a thread of its own.
//
//   none -> connect -> connecting -> sync -> connected -> (link lost) -> connect ...
//
// F1. What was received is executed and appended to the log as one step (PrimarySide, R3), so the
//     log's head is the offset that this node has reached.
// F2. It asks to continue only while its data is that of the id and offset it names: not after a
//     full sync that was not finished, not after a record that failed, not after it was a primary.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/keyspace/keyspace.h"
#include "engine/replication/link_socket.h"
#include "engine/replication/primary_side.h"
#include "engine/replication/record_executor.h"
#include "engine/replication/record_reader.h"

namespace mikura::engine {

enum class LinkState : uint8_t { kNone, kConnect, kConnecting, kSync, kConnected };

struct LinkStatus {
  LinkState state = LinkState::kNone;
  MonotonicNanos last_io = 0;
  MonotonicNanos down_since = 0;  // 0 while connected
};

class ReplicaLink {
 public:
  // on_loading: told on the link's thread when the data begins and ceases to be replaced.
  ReplicaLink(Keyspace& keyspace, PrimarySide& side, RecordExecutor& executor,
              const SettingsSource& settings, std::function<void(bool)> on_loading);
  ~ReplicaLink();

  // Follows this primary from now on; returns at once. `may_continue` false: the data of this node
  // is not that of any primary (F2).
  void Follow(const std::string& host, int port, bool may_continue);
  // Ceases to follow: executes what the socket holds already, then returns. Blocks for as long.
  void Release();

  LinkStatus status() const;

 private:
  struct Target {
    std::string host;  // empty: none
    int port = 0;
    uint64_t generation = 0;
    bool may_continue = false;
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
  Status Load(const std::string& announcement);
  Status ExpectMark(const std::string& mark);
  Status StreamLoop();
  Status ExecuteReceived();
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
  MonotonicNanos connected_at_ = 0;
  int database_ = 0;
  MonotonicNanos next_ack_ = 0;
  std::string receive_buffer_;

  // For status() on other threads.
  std::atomic<LinkState> state_{LinkState::kNone};
  std::atomic<MonotonicNanos> last_io_{0};
  std::atomic<MonotonicNanos> down_since_{0};

  std::thread thread_;
};

}  // namespace mikura::engine
