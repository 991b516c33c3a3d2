// SPDX-License-Identifier: Apache-2.0
// Changes a HyperLogLog in memory of its own. Its sparse form is kept to the byte as Redis keeps
// it, so that values look the same wherever they were made.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/commands/hyperloglog.h"

namespace mikura::engine {

// Lives on the stack: some ten kilobytes, and no other memory.
class HyperLogLogEditor {
 public:
  // sparse_bytes_max: a sparse value that would grow beyond becomes dense.
  explicit HyperLogLogEditor(int64_t sparse_bytes_max) : sparse_bytes_max_(sparse_bytes_max) {}

  // Begins without elements, in sparse form.
  void Clear();
  // Begins with a copy of `value`, which is a HyperLogLog. False when it is not sound; nothing else
  // may be called then.
  [[nodiscard]] bool Load(std::string_view value);

  // The same result as with a look at the registers first: for many marks.
  void RememberRegisters();

  // Whether a register was raised. Cost: O(1) when dense, or remembered and high enough; otherwise
  // O(runs before it), from the last one on when positions ascend.
  bool Raise(const HyperLogLogMark& mark);
  void MakeDense();
  void DropEstimate() { engine::DropEstimate(bytes_); }

  bool is_dense() const { return is_dense_; }
  std::string_view value() const { return {bytes_, size_}; }

 private:
  struct Place {
    size_t at = kHyperLogLogHeaderBytes;
    uint32_t first = 0;  // register
  };
  enum class Change : uint8_t { kNone, kDone, kDoesNotFit };

  std::string_view RunsFrom(size_t at) const { return value().substr(at); }
  Place PlaceOf(uint32_t position);
  Change RaiseSparse(const HyperLogLogMark& mark);
  void Replace(size_t at, size_t old_bytes, std::string_view bytes);
  void JoinRuns(size_t from);

  const int64_t sparse_bytes_max_;
  bool is_dense_ = false;
  bool remembers_ = false;
  size_t size_ = 0;
  // Of the last search: the run before what was found, and the one before that. A later position is
  // searched from there on.
  bool has_before_ = false;
  Place before_;
  Place start_;
  uint32_t last_position_ = 0;
  char bytes_[kHyperLogLogBytesMax];
  HyperLogLogArray registers_;  // when remembers_
};

}  // namespace mikura::engine
