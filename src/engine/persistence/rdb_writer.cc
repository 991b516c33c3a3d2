// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/rdb_writer.h"

#include <fmt/format.h>

#include <optional>

#include "base/numbers.h"
#include "engine/persistence/crc64.h"
#include "engine/persistence/rdb_format.h"
#include "engine/persistence/rdb_output.h"

namespace mikura::engine {
namespace {

constexpr size_t kNumberBytesMax = 11;  // "-2147483648"

void AppendOpcode(std::string& out, RdbOpcode opcode) { out.push_back(static_cast<char>(opcode)); }

// The text as an integer of at most 4 bytes, if it is how such a one is written.
bool AppendNumber(std::string& out, std::string_view text) {
  const std::optional<int64_t> parsed = ParseInt64(text);
  if (!parsed || *parsed < INT32_MIN || *parsed > INT32_MAX) return false;
  char canonical[24];
  if (text != std::string_view(canonical, FormatInt64(*parsed, canonical))) return false;
  const auto append = [&](uint8_t encoding, auto value) {
    out.push_back(static_cast<char>(kRdbEncoded << 6 | encoding));
    AppendRdbFixed(out, value);
    return true;
  };
  if (*parsed == static_cast<int8_t>(*parsed))
    return append(kRdbInt8, static_cast<int8_t>(*parsed));
  if (*parsed == static_cast<int16_t>(*parsed)) {
    return append(kRdbInt16, static_cast<int16_t>(*parsed));
  }
  return append(kRdbInt32, static_cast<int32_t>(*parsed));
}

}  // namespace

void AppendRdbBigEndian(std::string& out, uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

void AppendRdbLength(std::string& out, uint64_t length) {
  if (length < (1u << 6)) {
    out.push_back(static_cast<char>((kRdbLength6 << 6) | length));
  } else if (length < (1u << 14)) {
    AppendRdbBigEndian(out, (uint64_t{kRdbLength14} << 14) | length, 2);
  } else if (length <= UINT32_MAX) {
    out.push_back(static_cast<char>(kRdbLength32Byte));
    AppendRdbBigEndian(out, length, 4);
  } else {
    out.push_back(static_cast<char>(kRdbLength64Byte));
    AppendRdbBigEndian(out, length, 8);
  }
}

void AppendRdbText(std::string& out, std::string_view bytes, RdbPlainTexts* texts) {
  if (bytes.size() <= kNumberBytesMax && AppendNumber(out, bytes)) return;
  if (texts != nullptr && bytes.size() >= kRdbCompressedMin) {
    texts->push_back({out.size(), bytes.size()});
  }
  AppendRdbLength(out, bytes.size());
  out.append(bytes);
}

void AppendRdbHeader(std::string& out) { out += fmt::format("REDIS{:04}", kRdbVersionWritten); }

void AppendRdbAux(std::string& out, std::string_view name, std::string_view value) {
  AppendOpcode(out, RdbOpcode::kAux);
  AppendRdbText(out, name);
  AppendRdbText(out, value);
}

void AppendRdbFunction(std::string& out, std::string_view code) {
  AppendOpcode(out, RdbOpcode::kFunction);
  AppendRdbText(out, code);
}

void AppendRdbSelect(std::string& out, int database) {
  AppendOpcode(out, RdbOpcode::kSelectDatabase);
  AppendRdbLength(out, static_cast<uint64_t>(database));
}

void AppendRdbResize(std::string& out, uint64_t keys, uint64_t volatile_keys) {
  AppendOpcode(out, RdbOpcode::kResizeDatabase);
  AppendRdbLength(out, keys);
  AppendRdbLength(out, volatile_keys);
}

void AppendRdbKey(std::string& out, uint8_t type, std::string_view key,
                  const store::Attributes& attributes, RdbPlainTexts* texts) {
  if (attributes.has_memcached) {
    std::string block;
    AppendRdbFixed(block, attributes.memcached_flags);
    AppendRdbFixed(block, attributes.cas);
    AppendRdbFixed(block, attributes.memcached_state);
    AppendRdbAux(out, kRdbMemcachedAux, block);
  }
  if (attributes.deadline != store::kNoDeadline) {
    AppendOpcode(out, RdbOpcode::kExpireMillis);
    AppendRdbFixed(out, attributes.deadline);
  }
  out.push_back(static_cast<char>(type));
  AppendRdbText(out, key, texts);
}

void AppendRdbString(std::string& out, std::string_view key, std::string_view value,
                     const store::Attributes& attributes, RdbPlainTexts* texts) {
  AppendRdbKey(out, kRdbTypeString, key, attributes, texts);
  AppendRdbText(out, value, texts);
}

void AppendRdbEnd(std::string& out, std::optional<uint64_t> checksum_before) {
  const char end = static_cast<char>(RdbOpcode::kEnd);
  out.push_back(end);
  AppendRdbFixed(out, checksum_before ? Crc64(*checksum_before, {&end, 1}) : 0);
}

}  // namespace mikura::engine
