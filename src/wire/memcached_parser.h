// SPDX-License-Identifier: Apache-2.0
// The parser of the memcached protocols for one connection: incremental, without copies. The first
// byte tells binary from text (classic and meta), unless one of them is off.
//
// P1. Nothing behind the end of the input is read, and "is it all here" comes before "is it wrong":
//     how the bytes were split over calls never changes what is parsed.
// P2. Memory is bounded: a line ends within kLineMax bytes (retrievals: kRetrievalLineMax) or the
//     connection is closed; the data of a value over the limit is consumed as it comes.
// P3. Before a client that must authenticate has done so, nothing of its is parsed but attempts:
//     it makes us hold 64 KiB of binary, or 16 KiB of text, at most.
//
// Source: memcached's protocol.txt; refusals compared with memcached 1.6.18 in tests/memcached.
#pragma once

#include <cstdint>
#include <string_view>

#include "wire/memcached_request.h"

namespace mikura::wire {

enum class MemcachedProtocol : uint8_t { kAuto, kAscii, kBinary };

struct MemcachedParserOptions {
  size_t item_size_max = size_t{1} << 20;  // of one entry with its overhead, in bytes (-I)
  MemcachedProtocol protocol = MemcachedProtocol::kAuto;
  bool must_authenticate = false;
};

class MemcachedParser {
 public:
  static constexpr size_t kLineMax = 2048;
  static constexpr size_t kRetrievalLineMax = size_t{8} << 20;
  // What memcached counts for an entry beside key and value: its header, CAS, terminator, line end.
  static constexpr size_t kItemOverhead = 48 + 8 + 1 + 2;

  explicit MemcachedParser(const MemcachedParserOptions& options = {})
      : options_(options), protocol_(options.protocol) {}

  // Parses one request from the start of `input`. `consumed` is set in any case.
  // Cost: one pass over a line; a value that is not yet whole costs one more parse of its line.
  MemcachedParseStatus Parse(std::string_view input, MemcachedRequest* request, size_t* consumed);

  // After kNeedMore: the least number of unconsumed bytes with which Parse can get further.
  size_t wanted() const { return wanted_; }
  std::string_view close_reason() const { return close_reason_; }

  // Whether the client must authenticate at all; and whether it has, since its last attempt. To be
  // set before each Parse of such a client.
  bool must_authenticate() const { return options_.must_authenticate; }
  void set_authenticated(bool authenticated) { authenticated_ = authenticated; }

  // Whether an entry of this size is over `item_size_max`, counted as memcached does.
  static bool IsTooLarge(size_t key_size, size_t value_size, uint32_t client_flags,
                         size_t item_size_max) {
    const size_t flags_size = client_flags != 0 ? sizeof(client_flags) : 0;
    return key_size + value_size + flags_size + kItemOverhead > item_size_max;
  }

  // What has come was binary.
  bool is_binary() const { return protocol_ == MemcachedProtocol::kBinary; }

 private:
  // What remains of a retrieval line whose first keys have been handed out.
  struct Retrieval {
    MemcachedCommand command = MemcachedCommand::kGet;
    int64_t exptime = 0;
    size_t keys_left = 0;   // bytes up to the end of the last key
    size_t bytes_left = 0;  // bytes up to the end of the line; 0: no retrieval is going on
  };

  // True when the next byte begins a line of text whose client may send any command.
  bool IsBetweenLines() const {
    return protocol_ == MemcachedProtocol::kAscii && wanted_ == 1 && swallow_ == 0 &&
           retrieval_.bytes_left == 0 && (authenticated_ || !options_.must_authenticate);
  }
  MemcachedParseStatus ParseBinary(std::string_view input, MemcachedRequest* request,
                                   size_t* consumed);
  MemcachedParseStatus ParseText(std::string_view input, MemcachedRequest* request,
                                 size_t* consumed);
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

  const MemcachedParserOptions options_;
  MemcachedProtocol protocol_;  // kAuto: nothing has come yet
  bool authenticated_ = false;
  size_t wanted_ = 1;
  size_t scanned_ = 0;    // bytes at the start of the input that hold no line end
  uint64_t swallow_ = 0;  // bytes of refused data still to come
  Retrieval retrieval_;
  std::string_view close_reason_;
};

}  // namespace mikura::wire
