// SPDX-License-Identifier: Apache-2.0
// The parser of memcached's binary protocol: one pure function. A packet is a header of 24 bytes
// (magic, opcode, key length, extras length, data type, vbucket, body length, opaque, CAS), then
// extras, key and value; numbers are big-endian.
//
// B1. Lengths are checked against each other before they are used: no part lies outside the body.
// B2. What is refused before its value has come is not kept: `swallow` says what to pass over.
// B3. A packet whose lengths cannot be, or do not fit its opcode, ends the connection after the
//     reply, as memcached has it: nobody knows where the next one begins.
//
// Source: memcached's protocol-binary description; compared with memcached 1.6.18 in
// tests/memcached/binary_compare_test.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/memcached_request.h"

namespace mikura::wire {

inline constexpr uint8_t kMemcachedRequestMagic = 0x80;
inline constexpr uint8_t kMemcachedResponseMagic = 0x81;
inline constexpr size_t kMemcachedHeaderSize = 24;
// The longest SASL message that is looked at.
inline constexpr size_t kSaslMessageMax = size_t{64} << 10;

struct MemcachedBinaryLimits {
  size_t item_size_max = size_t{1} << 20;  // of one entry with its overhead, in bytes
  bool has_sasl = false;                   // without it its opcodes are unknown
  bool authenticated = true;               // without it only SASL and version are served
};

struct MemcachedParse {
  MemcachedParseStatus status = MemcachedParseStatus::kNeedMore;
  size_t consumed = 0;            // kComplete: bytes of the request
  size_t wanted = 0;              // kNeedMore: bytes with which there is more to say
  uint64_t swallow = 0;           // kComplete: bytes behind the request to be passed over
  std::string_view close_reason;  // kClose
};

// Parses one request from the start of `input`; reads nothing behind its end. A request is known to
// be wrong, or too large, from its header alone. Cost: O(1).
MemcachedParse ParseMemcachedBinary(std::string_view input, const MemcachedBinaryLimits& limits,
                                    MemcachedRequest* request);

}  // namespace mikura::wire
