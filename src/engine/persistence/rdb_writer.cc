// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/rdb_writer.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "engine/persistence/crc64.h"
#include "engine/persistence/rdb_format.h"

namespace mikura::engine {
namespace {

void AppendOpcode(std::string& out, RdbOpcode opcode) { out.push_back(static_cast<char>(opcode)); }

template <typename Integer>
void AppendLittleEndian(std::string& out, Integer value) {
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  out.append(bytes, sizeof(value));
}

void AppendBigEndian(std::string& out, uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

void AppendLength(std::string& out, uint64_t length) {
  if (length < (1u << 6)) {
    out.push_back(static_cast<char>((kRdbLength6 << 6) | length));
  } else if (length < (1u << 14)) {
    AppendBigEndian(out, (uint64_t{kRdbLength14} << 14) | length, 2);
  } else if (length <= UINT32_MAX) {
    out.push_back(static_cast<char>(kRdbLength32Byte));
    AppendBigEndian(out, length, 4);
  } else {
    out.push_back(static_cast<char>(kRdbLength64Byte));
    AppendBigEndian(out, length, 8);
  }
}

void AppendString(std::string& out, std::string_view bytes) {
  AppendLength(out, bytes.size());
  out.append(bytes);
}

}  // namespace

void AppendRdbHeader(std::string& out) { out += fmt::format("REDIS{:04}", kRdbVersionWritten); }

void AppendRdbAux(std::string& out, std::string_view name, std::string_view value) {
  AppendOpcode(out, RdbOpcode::kAux);
  AppendString(out, name);
  AppendString(out, value);
}

void AppendRdbSelect(std::string& out, int database) {
  AppendOpcode(out, RdbOpcode::kSelectDatabase);
  AppendLength(out, static_cast<uint64_t>(database));
}

void AppendRdbResize(std::string& out, uint64_t keys, uint64_t volatile_keys) {
  AppendOpcode(out, RdbOpcode::kResizeDatabase);
  AppendLength(out, keys);
  AppendLength(out, volatile_keys);
}

void AppendRdbStringHead(std::string& out, std::string_view key, size_t value_bytes,
                         const store::Attributes& attributes) {
  if (attributes.has_memcached) {
    std::string block;
    AppendLittleEndian(block, attributes.memcached_flags);
    AppendLittleEndian(block, attributes.cas);
    AppendLittleEndian(block, attributes.memcached_state);
    AppendRdbAux(out, kRdbMemcachedAux, block);
  }
  if (attributes.deadline != store::kNoDeadline) {
    AppendOpcode(out, RdbOpcode::kExpireMillis);
    AppendLittleEndian(out, attributes.deadline);
  }
  out.push_back(static_cast<char>(kRdbTypeString));
  AppendString(out, key);
  AppendLength(out, value_bytes);
}

void AppendRdbString(std::string& out, std::string_view key, std::string_view value,
                     const store::Attributes& attributes) {
  AppendRdbStringHead(out, key, value.size(), attributes);
  out.append(value);
}

void AppendRdbEnd(std::string& out, uint64_t checksum_before) {
  const char end = static_cast<char>(RdbOpcode::kEnd);
  out.push_back(end);
  AppendLittleEndian(out, Crc64(checksum_before, {&end, 1}));
}

}  // namespace mikura::engine
