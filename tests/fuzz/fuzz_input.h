// SPDX-License-Identifier: Apache-2.0
// What the fuzzers share: bytes at the exact end of an allocation, and places at which to cut them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace mikura::fuzz {

// A copy whose end is the end of its allocation, so that the address sanitizer sees a read behind
// it.
class ExactCopy {
 public:
  explicit ExactCopy(std::string_view text) : bytes_(new char[text.size()]), size_(text.size()) {
    std::copy(text.begin(), text.end(), bytes_.get());
  }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_;
};

// Sizes of pieces, drawn from one byte of the input: the same byte always cuts in the same way.
class Pieces {
 public:
  explicit Pieces(uint8_t seed) : state_(seed * 2654435761U + 1), most_(kMost[seed % 4]) {}
  size_t Next() {
    state_ = state_ * 1664525U + 1013904223U;
    return 1 + (state_ >> 16) % most_;
  }

 private:
  static constexpr size_t kMost[] = {1, 3, 17, 400};
  uint32_t state_;
  size_t most_;
};

// Takes the first byte off the input; 0 when there is none.
inline uint8_t TakeByte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<uint8_t>(input.front());
  input.remove_prefix(1);
  return byte;
}

// What `take_all(reader, outcome)` makes of the input, given to a reader piece by piece.
template <typename Reader, typename Outcome>
Outcome ReadInPieces(std::string_view input, Pieces& pieces,
                     void (*take_all)(Reader& reader, Outcome& outcome)) {
  Reader reader;
  Outcome outcome;
  for (size_t at = 0; at < input.size() && !outcome.failed;) {
    const std::string_view piece = input.substr(at, pieces.Next());
    at += piece.size();
    reader.Append(piece);
    take_all(reader, outcome);
  }
  return outcome;
}

inline std::string_view AsText(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace mikura::fuzz
