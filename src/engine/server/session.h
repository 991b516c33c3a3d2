// SPDX-License-Identifier: Apache-2.0
// One client connection: its socket, what is left of its input, what could not be sent yet.
// Belongs to the event loop that serves it; nothing here is touched by another thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engine/commands/client_state.h"
#include "engine/commands/output_source.h"
#include "engine/net/connected_socket.h"
#include "engine/server/client_record.h"
#include "engine/server/pending_output.h"
#include "engine/server/protocol.h"
#include "engine/server/push_port.h"
#include "engine/server/receive_buffer.h"
#include "engine/server/suspension.h"
#include "wire/memcached_parser.h"

namespace mikura::engine {

// What a client may leave unread; 0: no limit. client-output-buffer-limit of its class.
struct OutputBounds {
  uint64_t hard_bytes = 0;
  uint64_t soft_bytes = 0;
  UnixMillis soft_time = 0;  // above soft_bytes for longer than this is too much
};

class Session {
 public:
  // `memory` and `released` outlive the session. released: up to where the log is durable.
  Session(ConnectedSocket socket, Protocol protocol, std::shared_ptr<ClientRecord> record,
          ClientMemory& memory, const Lsn& released)
      : socket_(std::move(socket)),
        protocol_(protocol),
        record_(std::move(record)),
        rest_(memory),
        queued_(memory),
        pending_(memory, released),
        other_memory_(memory) {}

  // Of a memcached client.
  void MakeMemcachedParser(const wire::MemcachedParserOptions& options) {
    memcached_parser_ = std::make_unique<wire::MemcachedParser>(options);
  }
  wire::MemcachedParser& memcached_parser() { return *memcached_parser_; }

  int fd() const { return socket_.fd(); }
  ConnectedSocket& socket() { return socket_; }
  Protocol protocol() const { return protocol_; }
  ClientState& state() { return record_->state; }
  const ClientState& state() const { return record_->state; }
  ClientRecord& record() { return *record_; }

  // ---- Input that did not form a whole request when its batch ended.
  ReceiveBuffer& rest() { return rest_; }
  size_t bytes_needed() const { return bytes_needed_; }
  void set_bytes_needed(size_t bytes) { bytes_needed_ = bytes; }

  // ---- Suspension: see suspension.h. Set by the batch that runs its requests, ended by the loop.
  bool is_suspended() const { return suspension_ != Suspension::kNone; }
  Suspension suspension() const { return suspension_; }
  void set_suspension(Suspension suspension) { suspension_ = suspension; }
  // Whether the reply of a command that waits is not wanted (CLIENT REPLY).
  bool drops_reply() const { return drops_reply_; }
  void set_drops_reply(bool value) { drops_reply_ = value; }
  // Of a command that waits: what is noted of it when it has ended.
  struct WaitingRequest {
    const CommandSpec* row = nullptr;
    std::vector<std::string> words;
    size_t bytes = 0;    // as it was sent
    uint64_t ticks = 0;  // up to its wait
  };
  void set_waiting_request(WaitingRequest request) {
    waiting_request_ = std::make_unique<WaitingRequest>(std::move(request));
  }
  // Null when nothing waited since.
  std::unique_ptr<WaitingRequest> TakeWaitingRequest() { return std::move(waiting_request_); }
  // Notes the bytes of a request that was parsed but is not run now; those that follow each other
  // lie one behind the other. They stay where they are until the batch is over.
  void Keep(std::string_view request_bytes);
  // Moves what was kept in front of rest().
  void ReturnKept();
  // Forgets what was kept, for whoever still has those bytes.
  std::string_view TakeKept() { return std::exchange(kept_, {}); }

  // ---- Output that the socket did not take.
  // Sends `bytes` behind what is pending; keeps what the socket does not take. False: the peer is
  // gone.
  bool Send(std::string_view bytes);
  // The same for bytes with insertions, whose offsets count from `base` before `bytes`.
  bool SendWithInsertions(std::string_view bytes, size_t base,
                          std::span<wire::OutputBuffer::Insertion> insertions) {
    return pending_.Send(socket_, bytes, base, insertions);
  }
  // The same for what must not leave before `until` is durable.
  bool SendHeld(Lsn until, std::string_view bytes, size_t base,
                std::span<wire::OutputBuffer::Insertion> insertions) {
    pending_.HoldUntil(until);
    return SendWithInsertions(bytes, base, insertions);
  }
  void HoldUntil(Lsn until) { pending_.HoldUntil(until); }
  Lsn FirstHeld() const { return pending_.FirstHeld(); }
  bool DropHeld() { return pending_.DropHeld(); }
  // Sends pending output again after the socket became writable. False: the peer is gone.
  bool Flush() { return pending_.Flush(socket_); }
  size_t pending_output_bytes() const { return pending_.bytes(); }
  // A reply that is made piece by piece goes on with the next Flush().
  bool wants_turn() const { return pending_.wants_turn(); }
  uint64_t TakeMadeBytes() { return pending_.TakeMadeBytes(); }
  // Whether more is pending than `bounds` allow, now or for too long. To be asked whenever
  // something was sent, and at least once a second while something is pending.
  bool ExceedsOutput(const OutputBounds& bounds, UnixMillis now);

  // The last command, for CLIENT LIST; published once per batch by the loop.
  void NoteCommand(const CommandSpec* command, const CommandSpec* subcommand) {
    record_->last_command.store(command, std::memory_order_relaxed);
    record_->last_subcommand.store(subcommand, std::memory_order_relaxed);
    record_->commands.Add(1);
  }

  // ---- MULTI and WATCH: tells the registry and the memory count of what is queued and watched.
  // After each request of a client that has a transaction, or had one before it.
  void NoteTransaction();
  bool had_transaction() const { return had_transaction_; }

  // Appends to what is pending, for Flush() to send.
  void Enqueue(std::string_view bytes) { pending_.Append(bytes); }
  void Enqueue(wire::SharedBytes bytes) { pending_.Append(std::move(bytes)); }

  // Of a RESP client: what others push to it comes through `port`.
  void MakeReceiver(uint32_t loop, PushPort& port) {
    receiver_ = std::make_unique<SessionReceiver>(*this, state().id, loop, port);
    state().receiver = receiver_.get();
  }
  // Memory that is kept for it elsewhere, as a change.
  void CountOtherMemory(int64_t bytes) { other_memory_.Add(bytes); }

  // ---- Output made piece by piece (watch, dumps); null when there is none.
  std::unique_ptr<OutputSource>& source() { return source_; }
  bool holds_requests() const { return source_ != nullptr && source_->holds_requests(); }

  // ---- Flags of the loop.
  bool may_be_readable = false;  // an edge came, or the last read filled its buffer
  bool end_announced = false;    // the peer sends no more: read up to the end of file
  bool in_ready_list = false;
  bool peer_closed = false;     // end of file was read: answer what is there, then end
  bool doomed = false;          // ends as soon as the batch is done; no further command runs
  std::string late_pushes;      // for behind the reply of the command that waited
  bool has_pushes = false;      // since its output was last flushed
  bool is_handshaking = false;  // TLS: nothing is received or sent yet
  std::string_view refusal;     // what is said behind the handshake instead of serving it
  bool input_blocked = false;   // not read while too much output is pending
  Lsn held_until = 0;           // of the first reply that is held back; 0: not in the loop's list
  std::string_view end_reason = "normal";  // in memcached's words, for those who watch

 private:
  Suspension suspension_ = Suspension::kNone;
  bool drops_reply_ = false;
  std::unique_ptr<WaitingRequest> waiting_request_;
  ConnectedSocket socket_;
  Protocol protocol_;
  std::shared_ptr<ClientRecord>
      record_;  // shared with the registry, which shows it to other threads
  std::unique_ptr<wire::MemcachedParser> memcached_parser_;
  ReceiveBuffer rest_;
  size_t bytes_needed_ = 0;
  std::string_view kept_;
  bool had_transaction_ = false;
  CountedBytes queued_;
  PendingOutput pending_;
  UnixMillis over_soft_since_ = 0;  // 0: not above the soft limit
  std::unique_ptr<OutputSource> source_;
  std::unique_ptr<SessionReceiver> receiver_;
  CountedBytes other_memory_;
};

}  // namespace mikura::engine
