// SPDX-License-Identifier: Apache-2.0
// LZF, the compression of long strings in RDB files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mikura::engine {

// Expands `compressed` into exactly `out`. False when the data is malformed or expands to another
// size; never reads or writes outside.
bool ExpandLzf(std::string_view compressed, std::span<char> out);

// Compresses one text after the other; the object is the memory that it needs.
class LzfCompressor {
 public:
  // Appends the compressed form if that saves at least `saved_min` bytes; otherwise `out` is as
  // before, and false. text: under 1 GB.
  bool Append(std::string& out, std::string_view text, size_t saved_min);

 private:
  static constexpr int kTableBits = 14;

  // Positions by the hash of the three bytes there, counted on from text to text: what is smaller
  // than base_ belongs to a text of before. So the table need not be cleared.
  std::array<uint32_t, 1 << kTableBits> table_ = {};
  uint32_t base_ = 1;
};

}  // namespace mikura::engine
