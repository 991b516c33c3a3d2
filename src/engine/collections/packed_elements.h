// SPDX-License-Identifier: Apache-2.0
// Packed elements: for each its length as a varint and its bytes, in order. What walks over them is
// here, inline: most requests to small collections do little else.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"

namespace mikura::engine::collections {

// ---- Varints: 7 bits per byte, least significant first; the top bit says that more follow.
inline size_t VarintBytes(uint64_t value) {
  size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}
// Writes VarintBytes(value) bytes; returns what is behind them.
inline char* PutVarint(char* out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *out++ = static_cast<char>(value | 0x80);
  *out++ = static_cast<char>(value);
  return out;
}
void AppendVarint(std::string& out, uint64_t value);
std::optional<uint64_t> TakeLongVarint(std::string_view& bytes);
// Takes a number off the front. nullopt: the bytes end, or it has more than 64 bits.
inline std::optional<uint64_t> TakeVarint(std::string_view& bytes) {
  if (bytes.empty() || static_cast<uint8_t>(bytes[0]) >= 0x80) [[unlikely]]
    return TakeLongVarint(bytes);
  const auto value = static_cast<uint8_t>(bytes[0]);
  bytes.remove_prefix(1);
  return value;
}

// The element at the front of `bytes`, which must hold one; takes it off.
inline std::string_view TakeElement(std::string_view& bytes) {
  const std::optional<uint64_t> length = TakeVarint(bytes);
  DCHECK(length && *length <= bytes.size());
  const std::string_view element = bytes.substr(0, static_cast<size_t>(*length));
  bytes.remove_prefix(element.size());
  return element;
}

template <typename Word>
bool SameEnds(const char* a, const char* b, size_t size) {
  const auto load = [](const char* at) {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return word;
  };
  const size_t last = size - sizeof(Word);
  return load(a + last) == load(b + last) && load(a) == load(b);
}

// Equality for names that are alike: those of one collection often differ in their last bytes only,
// which are looked at before the whole is compared. Up to 16 bytes the two ends are the whole.
inline bool SameBytes(std::string_view a, std::string_view b) {
  const size_t size = a.size();
  if (size != b.size()) return false;
  if (size >= sizeof(uint64_t)) {
    if (!SameEnds<uint64_t>(a.data(), b.data(), size)) return false;
    return size <= 2 * sizeof(uint64_t) || a == b;
  }
  if (size >= sizeof(uint32_t)) return SameEnds<uint32_t>(a.data(), b.data(), size);
  for (size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

// Where a packed element is, or one belongs.
struct PackedSpot {
  uint64_t index = 0;
  size_t offset = 0;  // of its length
};

// A change of packed elements that has not been made yet: `removed` bytes at `offset` of `elements`
// give way to `added`.
struct PackedSplice {
  std::string_view elements;
  size_t offset = 0;
  size_t removed = 0;
  std::string_view added;

  std::string_view before() const { return elements.substr(0, offset); }
  std::string_view behind() const { return elements.substr(offset + removed); }
  // Of the elements when it has been made.
  size_t size() const { return elements.size() - removed + added.size(); }
};

// Walks over packed elements of whole length.
class PackedWalk {
 public:
  explicit PackedWalk(std::string_view packed) : begin_(packed.data()), rest_(packed) { Take(); }

  bool at_end() const { return at_end_; }
  std::string_view element() const { return element_; }
  const PackedSpot& spot() const { return spot_; }
  void Next() {
    ++spot_.index;
    Take();
  }

 private:
  void Take() {
    spot_.offset = static_cast<size_t>(rest_.data() - begin_);
    at_end_ = rest_.empty();
    if (!at_end_) element_ = TakeElement(rest_);
  }

  const char* begin_;
  std::string_view rest_;  // what follows the element
  std::string_view element_;
  PackedSpot spot_;
  bool at_end_ = false;
};

}  // namespace mikura::engine::collections
