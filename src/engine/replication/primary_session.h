// SPDX-License-Identifier: Apache-2.0
// One replica of this node: a thread that brings it up to date and then sends it the change log.
//
//   attached -> (partial) online
//   attached -> wait_bgsave -> send_bulk -> online
//
// A replica that reads a snapshot of unknown length must not be sent more before it has said that
// it is done: it looks for the mark at the end of what it has received.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/replication/link_socket.h"
#include "engine/replication/primary_side.h"

namespace mikura::engine {

class PrimarySession {
 public:
  PrimarySession(PrimarySide& side, ConnectedSocket socket, const ReplicaHandshake& handshake,
                 std::string received);
  // Interrupts and joins.
  ~PrimarySession();

  void Start();
  void Interrupt() { socket_.Interrupt(); }
  bool ended() const { return ended_.load(std::memory_order_acquire); }
  ReplicaStatus status() const;

 private:
  enum class State : uint8_t { kWaiting, kSending, kOnline };

  void Run();
  Status Serve();
  Status FullSync();
  Result<PrimarySide::FullSync> BeginFullSync();
  bool SendsDirectly() const;
  // marks_end: it is followed by a mark, its length being unknown at the beginning.
  Status SendSnapshot(PrimarySide::FullSync& sync, bool marks_end);
  Status SendSpooled(PrimarySide::FullSync& sync, const Snapshot::AuxFields& aux);
  Status AwaitFirstAck();
  Status StreamLog();
  // Sends what it can of `pending_`; fills it again from the backlog.
  Status SendSome();
  // Reads and interprets what the replica says.
  Status ReceiveSome();
  void Interpret(std::span<const std::string_view> words);

  PrimarySide& side_;
  LinkSocket socket_;
  const ReplicaHandshake handshake_;
  const std::string host_;
  std::string input_;
  Backlog::Cursor cursor_;
  bool attached_ = false;
  std::vector<LogSlice> pending_;
  size_t pending_first_ = 0;  // index of the first slice that is not wholly sent
  SystemClock clock_;
  MonotonicNanos heard_at_ = 0;  // when it has said anything, last
  std::thread thread_;

  // For status() on other threads.
  std::atomic<State> state_{State::kWaiting};
  std::atomic<Lsn> acknowledged_{0};
  std::atomic<Lsn> acknowledged_on_disk_{-1};  // -1: it keeps nothing there
  std::atomic<Lsn> sent_{0};
  std::atomic<MonotonicNanos> acknowledged_at_{0};
  // Publishes the end of the thread's work to whoever joins it.
  std::atomic<bool> ended_{false};
};

}  // namespace mikura::engine
