// SPDX-License-Identifier: Apache-2.0
// What SCAN, HSCAN, SSCAN and ZSCAN share: their options, and their replies.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/commands/command_context.h"
#include "wire/glob.h"

namespace mikura::engine {

struct ScanOptions {
  std::string_view pattern = "*";
  std::string_view type;   // SCAN only
  int64_t count = 10;      // at least 1
  bool no_values = false;  // HSCAN only

  bool Matches(std::string_view name) const {
    return pattern == "*" || wire::GlobMatch(pattern, name);
  }
};

// A cursor as Redis reads it, with strtoul: negative ones wrap around, and nothing is 0. Errors:
// kInvalidCursor.
FaultOr<uint64_t> ParseScanCursor(std::string_view text);

// The words behind the cursor. Errors: kNotAnInteger, kSyntax.
enum class ScanKind : uint8_t { kKeys, kHash, kElements };
FaultOr<ScanOptions> ParseScanOptions(ScanKind kind, std::span<const std::string_view> words);

// The reply of a scan: the next cursor, then the elements that were gathered.
class ScanReply {
 public:
  void Add(std::string_view element) { elements_.emplace_back(element); }
  void Write(wire::RespWriter& reply, uint64_t cursor) const;

 private:
  std::vector<std::string> elements_;
};

}  // namespace mikura::engine
