// SPDX-License-Identifier: Apache-2.0
// Replies of memcached's binary protocol.
#pragma once

#include <cstdint>
#include <string_view>

#include "wire/memcached_request.h"
#include "wire/output_buffer.h"

namespace mikura::wire {

// memcached's words for a status; empty for success.
std::string_view MemcachedStatusText(MemcachedStatus status);

// The parts of a reply; opcode and opaque come from the request.
struct MemcachedBinaryReply {
  MemcachedStatus status = MemcachedStatus::kSuccess;
  std::string_view extras;
  std::string_view key;
  std::string_view value;
  uint64_t cas = 0;
  size_t value_bytes_behind = 0;  // part of the value that the caller appends afterwards
};

// One reservation, one copy of each part.
void WriteBinaryReply(OutputBuffer& out, const MemcachedRequest& request,
                      const MemcachedBinaryReply& reply);
// A status and its words, or `words` in their place.
void WriteBinaryStatus(OutputBuffer& out, const MemcachedRequest& request, MemcachedStatus status,
                       std::string_view words = {});
// An entry: its flags, the key if the request wants it, the value. The second form copies only the
// last byte of the value: something must stand behind shared bytes (OutputBuffer).
void WriteBinaryValue(OutputBuffer& out, const MemcachedRequest& request, uint32_t client_flags,
                      SharedBytes all_but_last, char last, uint64_t cas);
void WriteBinaryValue(OutputBuffer& out, const MemcachedRequest& request, uint32_t client_flags,
                      std::string_view value, uint64_t cas);
// The new number of a counter.
void WriteBinaryNumber(OutputBuffer& out, const MemcachedRequest& request, uint64_t number,
                       uint64_t cas);

}  // namespace mikura::wire
