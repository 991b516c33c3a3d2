// SPDX-License-Identifier: Apache-2.0
// A part of a reply that is made piece by piece, as fast as the client takes it: what takes long to
// make, or much memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "wire/shared_bytes.h"

namespace mikura::wire {

class OutputBuffer;

class ReplySource {
 public:
  // kLast: nothing follows. kLater: there is nothing now, and the source will tell.
  enum class Outcome : uint8_t { kMore, kLast, kLater };

  // What one piece is to have, about.
  static constexpr size_t kPieceBytes = 64 << 10;

  virtual ~ReplySource() = default;
  // Appends a piece to `out`, or nothing when what it had time for has given nothing. Takes less
  // than a millisecond.
  virtual Outcome Produce(OutputBuffer& out) = 0;
  // What is still to come, about. For limits on output.
  virtual uint64_t bytes_left() const = 0;
};

// A source on its way through an output buffer: shared bytes that are none, and which own it.
inline SharedBytes ShareSource(std::unique_ptr<ReplySource> source) {
  ReplySource* const owner = source.release();
  // NOLINTNEXTLINE(bugprone-string-constructor): the address is what these bytes are about
  return SharedBytes({reinterpret_cast<const char*>(owner), 0}, owner,
                     [](void* shared) { delete static_cast<ReplySource*>(shared); });
}
// Null for other bytes.
inline ReplySource* SourceOf(const SharedBytes& bytes) {
  if (!bytes.view().empty()) return nullptr;
  return reinterpret_cast<ReplySource*>(const_cast<char*>(bytes.view().data()));
}

}  // namespace mikura::wire
