// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/lzf.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

namespace mikura::engine {
namespace {

constexpr size_t kLiteralsMax = 32;
constexpr size_t kDistanceMax = 1 << 13;
constexpr size_t kCopyMin = 3;
constexpr size_t kCopyMax = 264;
// After so many literals in a row not every position is looked up any more.
constexpr size_t kPatience = 128;

uint32_t ThreeBytes(const char* at) {
  return static_cast<uint32_t>(static_cast<uint8_t>(at[0])) |
         static_cast<uint32_t>(static_cast<uint8_t>(at[1])) << 8 |
         static_cast<uint32_t>(static_cast<uint8_t>(at[2])) << 16;
}

void AppendLiterals(std::string& out, std::string_view literals) {
  while (!literals.empty()) {
    const std::string_view run = literals.substr(0, kLiteralsMax);
    out.push_back(static_cast<char>(run.size() - 1));
    out.append(run);
    literals.remove_prefix(run.size());
  }
}

void AppendCopy(std::string& out, size_t distance, size_t length) {
  const size_t far = distance - 1;
  const size_t code = length - 2;
  if (code < 7) {
    out.push_back(static_cast<char>(code << 5 | far >> 8));
  } else {
    out.push_back(static_cast<char>(7 << 5 | far >> 8));
    out.push_back(static_cast<char>(code - 7));
  }
  out.push_back(static_cast<char>(far));
}

}  // namespace

// A control byte below 32: that many literal bytes and one more follow. Otherwise a copy of earlier
// output: its top three bits are the length less 2 (7: one more length byte follows), its low five
// bits and the next byte the distance less 1.
bool ExpandLzf(std::string_view compressed, std::span<char> out) {
  size_t in = 0;
  size_t done = 0;
  while (in < compressed.size()) {
    const auto control = static_cast<uint8_t>(compressed[in++]);
    if (control < 32) {
      const size_t length = control + 1u;
      if (length > compressed.size() - in || length > out.size() - done) return false;
      std::memcpy(out.data() + done, compressed.data() + in, length);
      in += length;
      done += length;
      continue;
    }
    size_t length = control >> 5;
    if (length == 7) {
      if (in == compressed.size()) return false;
      length += static_cast<uint8_t>(compressed[in++]);
    }
    length += 2;
    if (in == compressed.size()) return false;
    const size_t distance =
        ((control & 31u) << 8) + static_cast<uint8_t>(compressed[in++]) + size_t{1};
    if (distance > done || length > out.size() - done) return false;
    // Byte by byte: source and destination may overlap on purpose.
    for (size_t i = 0; i < length; ++i, ++done) out[done] = out[done - distance];
  }
  return done == out.size();
}

bool LzfCompressor::Append(std::string& out, std::string_view text, size_t saved_min) {
  if (text.size() <= saved_min) return false;
  if (base_ + text.size() > UINT32_MAX / 2) {
    table_.fill(0);
    base_ = 1;
  }
  const size_t begin = out.size();
  const size_t most = text.size() - saved_min;
  const auto place_of = [&](size_t position) -> uint32_t& {
    return table_[ThreeBytes(text.data() + position) * 2654435761u >> (32 - kTableBits)];
  };
  size_t at = 0;
  size_t literals = 0;  // where those that are not written yet begin
  while (at + kCopyMin <= text.size()) {
    const auto here = static_cast<uint32_t>(base_ + at);
    const uint32_t before = std::exchange(place_of(at), here);
    const bool is_copy = before >= base_ && here - before <= kDistanceMax &&
                         ThreeBytes(text.data() + (before - base_)) == ThreeBytes(text.data() + at);
    if (!is_copy) {
      at += 1 + (at - literals) / kPatience;
      continue;
    }
    const char* const source = text.data() + (before - base_);
    const size_t longest = std::min(kCopyMax, text.size() - at);
    size_t length = kCopyMin;
    while (length < longest && source[length] == text[at + length]) ++length;
    AppendLiterals(out, text.substr(literals, at - literals));
    AppendCopy(out, here - before, length);
    at += length;
    literals = at;
    if (out.size() - begin > most) break;
    if (at + kCopyMin <= text.size()) place_of(at - 1) = static_cast<uint32_t>(base_ + at - 1);
  }
  base_ += static_cast<uint32_t>(text.size());
  AppendLiterals(out, text.substr(literals));
  if (out.size() - begin <= most) return true;
  out.resize(begin);
  return false;
}

}  // namespace mikura::engine
