// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/scan_options.h"

#include "engine/commands/command_support.h"

namespace mikura::engine {

FaultOr<uint64_t> ParseScanCursor(std::string_view text) {
  text = text.substr(0, text.find('\0'));  // the C library looks no further
  if (text.empty()) return uint64_t{0};
  const bool has_sign = text[0] == '-' || text[0] == '+';
  const bool is_negative = text[0] == '-';
  if (has_sign) text.remove_prefix(1);
  if (text.empty()) return Fault::kInvalidCursor;
  uint64_t value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return Fault::kInvalidCursor;
    if (__builtin_mul_overflow(value, uint64_t{10}, &value) ||
        __builtin_add_overflow(value, static_cast<uint64_t>(digit - '0'), &value)) {
      return Fault::kInvalidCursor;
    }
  }
  return is_negative ? 0 - value : value;
}

FaultOr<ScanOptions> ParseScanOptions(ScanKind kind, std::span<const std::string_view> words) {
  ScanOptions options;
  for (size_t i = 0; i < words.size(); ++i) {
    const bool has_value = i + 1 < words.size();
    if (EqualsIgnoreCase(words[i], "COUNT") && has_value) {
      ASSIGN_OR_RETURN(options.count, ToInteger(words[++i]));
      if (options.count < 1) return Fault::kSyntax;
    } else if (EqualsIgnoreCase(words[i], "MATCH") && has_value) {
      options.pattern = words[++i];
    } else if (EqualsIgnoreCase(words[i], "TYPE") && has_value && kind == ScanKind::kKeys) {
      options.type = words[++i];
    } else if (EqualsIgnoreCase(words[i], "NOVALUES") && kind == ScanKind::kHash) {
      options.no_values = true;
    } else {
      return Fault::kSyntax;
    }
  }
  return options;
}

void ScanReply::Write(wire::RespWriter& reply, uint64_t cursor) const {
  reply.Array(2);
  reply.Bulk(std::to_string(cursor));
  reply.Array(elements_.size());
  for (const std::string& element : elements_) reply.Bulk(element);
}

}  // namespace mikura::engine
