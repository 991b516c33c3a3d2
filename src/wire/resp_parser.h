// SPDX-License-Identifier: Apache-2.0
// Turns received bytes into requests whose words are views into those bytes.
//
// P1. "Is it all here" is tested before "is it wrong", and nothing behind the end is ever read.
// P2. The parser keeps no state: an incomplete request is parsed again from its first byte when at
//     least bytes_needed have arrived, a lower bound that makes slow arrival cost O(n log n).
// Source: the RESP specification; error texts and limits as in Redis 7.0.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mikura::wire {

struct RespLimits {
  int64_t bulk_bytes_max = 512LL << 20;  // proto-max-bulk-len
  int64_t words_max = INT32_MAX;
  size_t inline_bytes_max = 64 << 10;

  // What a client may send before it has authenticated.
  static RespLimits Unauthenticated() { return {16384, 10, 64 << 10}; }
};

enum class RespStatus {
  kRequest,     // words were appended
  kEmpty,       // an empty line or *0: consumed, nothing to run
  kIncomplete,  // more bytes are needed
  kError,       // the connection must be closed after the error was sent
};

struct RespResult {
  RespStatus status = RespStatus::kIncomplete;
  size_t consumed = 0;      // kRequest, kEmpty
  size_t bytes_needed = 0;  // kIncomplete: size of input below which trying again is useless
  std::string error;        // kError: text behind "-ERR "
};

// Parses one request at the start of `input` and appends its words to `words`. Words of an inline
// request are stored in `storage` (appended; earlier views stay valid only if the caller keeps the
// strings), all others are views into `input`.
RespResult ParseResp(std::string_view input, const RespLimits& limits,
                     std::vector<std::string_view>& words,
                     std::vector<std::unique_ptr<std::string>>& storage);

}  // namespace mikura::wire
