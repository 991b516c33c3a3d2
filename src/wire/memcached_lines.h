// SPDX-License-Identifier: Apache-2.0
// What a line of the memcached text protocols asks for; used by MemcachedParser only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/memcached_request.h"

namespace mikura::wire {

// The words of a line; more than kMax are counted, not kept.
struct MemcachedWords {
  static constexpr size_t kMax = 24;

  explicit MemcachedWords(std::string_view line);
  std::string_view operator[](size_t index) const { return words[index]; }
  std::string_view last() const { return words[(count < kMax ? count : kMax) - 1]; }

  std::array<std::string_view, kMax> words;
  size_t count = 0;
};

struct MemcachedLine {
  // Size of the data block that follows, without its line end.
  std::optional<uint32_t> data_size;
  // The request is refused (it is a kReply), but its data follows and must be passed over.
  bool swallow_data = false;
  bool close = false;  // the line of an HTTP client
};

// Fills `request` from a line that is no retrieval. Everything it refuses becomes a kReply.
MemcachedLine ReadClassicLine(const MemcachedWords& words, MemcachedRequest* request);
// The same for a line whose first word is "m" and one more letter.
MemcachedLine ReadMetaLine(std::string_view line, const MemcachedWords& words,
                           MemcachedRequest* request);

// Makes `request` answer with `reply`, or with nothing when it has noreply.
void Refuse(MemcachedRequest* request, std::string_view reply);

inline constexpr std::string_view kMemcachedError = "ERROR\r\n";
inline constexpr std::string_view kMemcachedBadLine = "CLIENT_ERROR bad command line format\r\n";
inline constexpr std::string_view kMemcachedBadExptime =
    "CLIENT_ERROR invalid exptime argument\r\n";
inline constexpr std::string_view kMemcachedBadChunk = "CLIENT_ERROR bad data chunk\r\n";
inline constexpr std::string_view kMemcachedTooLarge =
    "SERVER_ERROR object too large for cache\r\n";
inline constexpr std::string_view kMemcachedOutOfMemory =
    "SERVER_ERROR out of memory storing object\r\n";

}  // namespace mikura::wire
