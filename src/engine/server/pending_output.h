// SPDX-License-Identifier: Apache-2.0
// Replies that a client's socket did not take: copied bytes, and large values by reference.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/net/connected_socket.h"
#include "engine/server/client_memory.h"
#include "wire/output_buffer.h"

namespace mikura::engine {

class PendingOutput {
 public:
  explicit PendingOutput(ClientMemory& memory) : copied_(memory) {}

  // All of it counts, also what is held by reference.
  size_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }

  void Append(std::string_view bytes);
  void Append(wire::SharedBytes bytes);

  // Sends from the front what the socket takes. False: the peer is gone.
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
    std::string_view view() const { return is_shared ? shared.view() : copied; }
  };

  void DropFront(size_t bytes);
  void AppendBehind(size_t skipped, std::string_view bytes, size_t base,
                    std::span<wire::OutputBuffer::Insertion> insertions);

  std::vector<Piece> pieces_;
  size_t first_ = 0;  // pieces before it were sent
  size_t sent_ = 0;   // of pieces_[first_]
  size_t bytes_ = 0;
  // What is held by reference is counted by its owner, the store.
  CountedBytes copied_;
};

}  // namespace mikura::engine
