// SPDX-License-Identifier: Apache-2.0
// Replies that a client's socket did not take: copied bytes, large values by reference, and sources
// of what is still to be made. And replies that must not leave yet, because what they tell of is
// not durable: those are held back, and all behind them.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/keyspace/log_chunk.h"
#include "engine/net/connected_socket.h"
#include "engine/server/client_memory.h"
#include "wire/output_buffer.h"
#include "wire/reply_source.h"

namespace mikura::engine {

class PendingOutput {
 public:
  // released: up to where the log is durable, as the client's loop knows; outlives this.
  PendingOutput(ClientMemory& memory, const Lsn& released) : released_(released), copied_(memory) {}

  // All of it counts, also what is held by reference; what sources will make is an estimate.
  size_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }
  // Whether a source has more for a socket that takes it: Flush() wants to be called again.
  bool wants_turn() const { return wants_turn_; }
  // Bytes that sources have made since this was last asked.
  uint64_t TakeMadeBytes() { return std::exchange(made_bytes_, 0); }

  // What comes from now on is held back until `lsn` is durable.
  void HoldUntil(Lsn lsn) { hold_until_ = std::max(hold_until_, lsn); }
  // The position that lets the first reply go which is held back; 0: none is.
  Lsn FirstHeld() const;
  // Forgets what is held back; true when there was something.
  bool DropHeld();

  void Append(std::string_view bytes);
  void Append(wire::SharedBytes bytes);

  // Sends from the front what the socket takes; a source makes one piece at most. False: the peer
  // is gone.
  bool Flush(ConnectedSocket& socket);
  // Sends `bytes` with the insertions that lie in them (their offsets count from `bytes`' begin
  // minus `base`), behind what is pending; keeps what the socket does not take and takes over those
  // insertions. False: the peer is gone.
  bool Send(ConnectedSocket& socket, std::string_view bytes, size_t base,
            std::span<wire::OutputBuffer::Insertion> insertions);

 private:
  struct Piece {
    std::string copied;
    wire::SharedBytes shared;  // instead of `copied`
    bool is_shared = false;
    // Of what is shared, when it is a source: the piece comes to an end with it.
    wire::ReplySource* source = nullptr;
    size_t expected = 0;  // of a source: what it is counted with
    Lsn until = 0;        // not sent before that is durable; never less than in pieces before it
    std::string_view view() const { return is_shared ? shared.view() : copied; }
  };
  // What the source at the front has made.
  struct Made {
    wire::OutputBuffer bytes;
    size_t sent = 0;
    bool is_last = false;  // the source has ended
  };

  // Whether the socket takes more; nullopt: the peer is gone.
  std::optional<bool> SendUpToSource(ConnectedSocket& socket);
  std::optional<bool> SendMade(ConnectedSocket& socket);
  void MakePiece(Piece& piece);
  void DropSource();
  void CountSource(Piece& piece, size_t expected);
  void TidyFront();
  void DropFront(size_t bytes);
  void AppendBehind(size_t skipped, std::string_view bytes, size_t base,
                    std::span<wire::OutputBuffer::Insertion> insertions);

  bool IsHeld(const Piece& piece) const { return piece.until > released_; }
  Piece& AddPiece();

  const Lsn& released_;
  Lsn hold_until_ = 0;
  std::vector<Piece> pieces_;
  size_t first_ = 0;  // pieces before it were sent
  size_t sent_ = 0;   // of pieces_[first_]
  size_t bytes_ = 0;
  std::unique_ptr<Made> made_;
  bool wants_turn_ = false;
  uint64_t made_bytes_ = 0;
  // What is held by reference is counted by its owner, the store.
  CountedBytes copied_;
};

}  // namespace mikura::engine
