// SPDX-License-Identifier: Apache-2.0
// The parser of the memcached text protocols (classic and meta) for one connection: incremental,
// without copies.
//
// P1. Nothing behind the end of the input is read, and "is it all here" comes before "is it wrong":
//     how the bytes were split over calls never changes what is parsed.
// P2. Memory is bounded: a line ends within kLineMax bytes (retrievals: kRetrievalLineMax) or the
//     connection is closed; the data of a value over the limit is consumed as it comes.
// P3. The binary protocol is not spoken: a connection that begins with its magic byte is closed.
//
// Source: memcached's protocol.txt; refusals compared with memcached 1.6.18 in tests/memcached.
#pragma once

#include <cstdint>
#include <string_view>

#include "wire/memcached_request.h"

namespace mikura::wire {

enum class MemcachedParseStatus : uint8_t {
  kComplete,  // one request; drop `consumed` bytes when it has been carried out (R1)
  kNeedMore,  // no request yet; drop `consumed` bytes, call again with at least wanted() bytes
  kClose,     // the connection must end, without a reply; close_reason() says why
};

class MemcachedParser {
 public:
  static constexpr size_t kLineMax = 2048;
  static constexpr size_t kRetrievalLineMax = size_t{8} << 20;
  static constexpr uint8_t kBinaryMagic = 0x80;
  // What memcached counts for an entry beside key and value: its header, CAS, terminator, line end.
  static constexpr size_t kItemOverhead = 48 + 8 + 1 + 2;

  // item_size_max: of one entry with its overhead, in bytes (memcached's -I).
  explicit MemcachedParser(size_t item_size_max = size_t{1} << 20)
      : item_size_max_(item_size_max) {}

  // Parses one request from the start of `input`. `consumed` is set in any case.
  // Cost: one pass over a line; a value that is not yet whole costs one more parse of its line.
  MemcachedParseStatus Parse(std::string_view input, MemcachedRequest* request, size_t* consumed);

  // After kNeedMore: the least number of unconsumed bytes with which Parse can get further.
  size_t wanted() const { return wanted_; }
  std::string_view close_reason() const { return close_reason_; }

  // Whether an entry of this size is over `item_size_max`, counted as memcached does.
  static bool IsTooLarge(size_t key_size, size_t value_size, uint32_t client_flags,
                         size_t item_size_max) {
    const size_t flags_size = client_flags != 0 ? sizeof(client_flags) : 0;
    return key_size + value_size + flags_size + kItemOverhead > item_size_max;
  }

 private:
  // What remains of a retrieval line whose first keys have been handed out.
  struct Retrieval {
    MemcachedCommand command = MemcachedCommand::kGet;
    int32_t exptime = 0;
    size_t keys_left = 0;   // bytes up to the end of the last key
    size_t bytes_left = 0;  // bytes up to the end of the line; 0: no retrieval is going on
  };

  MemcachedParseStatus FindLine(std::string_view input, size_t* line_end);
  MemcachedParseStatus ParseLine(std::string_view input, size_t line_end, MemcachedRequest* request,
                                 size_t* consumed);
  MemcachedParseStatus BeginRetrieval(std::string_view line, std::string_view keys,
                                      size_t line_bytes, MemcachedRequest* request,
                                      size_t* consumed);
  MemcachedParseStatus NextKey(std::string_view input, MemcachedRequest* request, size_t* consumed);
  MemcachedParseStatus TakeData(std::string_view input, size_t line_bytes, size_t size,
                                MemcachedRequest* request, size_t* consumed);
  MemcachedParseStatus Close(std::string_view reason);
  MemcachedParseStatus NeedMore(size_t wanted);

  size_t item_size_max_;
  size_t wanted_ = 1;
  size_t scanned_ = 0;    // bytes at the start of the input that hold no line end
  uint64_t swallow_ = 0;  // bytes of refused data still to come
  Retrieval retrieval_;
  bool at_start_ = true;  // of the connection
  std::string_view close_reason_;
};

}  // namespace mikura::wire
