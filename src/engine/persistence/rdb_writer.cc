// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/rdb_writer.h"

#include <fmt/format.h>

#include "engine/persistence/crc64.h"
#include "engine/persistence/rdb_format.h"
#include "engine/persistence/rdb_output.h"

namespace mikura::engine {
namespace {

void AppendOpcode(std::string& out, RdbOpcode opcode) { out.push_back(static_cast<char>(opcode)); }

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

void AppendRdbText(std::string& out, std::string_view bytes) {
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
                  const store::Attributes& attributes) {
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
  AppendRdbText(out, key);
}

void AppendRdbStringHead(std::string& out, std::string_view key, size_t value_bytes,
                         const store::Attributes& attributes) {
  AppendRdbKey(out, kRdbTypeString, key, attributes);
  AppendRdbLength(out, value_bytes);
}

void AppendRdbString(std::string& out, std::string_view key, std::string_view value,
                     const store::Attributes& attributes) {
  AppendRdbStringHead(out, key, value.size(), attributes);
  out.append(value);
}

void AppendRdbEnd(std::string& out, uint64_t checksum_before) {
  const char end = static_cast<char>(RdbOpcode::kEnd);
  out.push_back(end);
  AppendRdbFixed(out, Crc64(checksum_before, {&end, 1}));
}

}  // namespace mikura::engine
