// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/dump_payload.h"

#include <cstring>

#include "base/check.h"
#include "engine/persistence/crc64.h"
#include "engine/persistence/rdb_format.h"
#include "engine/persistence/rdb_output.h"
#include "engine/persistence/rdb_value_writer.h"

namespace mikura::engine {
namespace {

constexpr size_t kVersionBytes = 2;
constexpr size_t kChecksumBytes = 8;

}  // namespace

void AppendDumpFooter(std::string& payload) {
  AppendRdbFixed(payload, static_cast<uint16_t>(kRdbVersionWritten));
  AppendRdbFixed(payload, Crc64(0, payload));
}

std::optional<std::string_view> CheckDumpFooter(std::string_view payload) {
  if (payload.size() < kVersionBytes + kChecksumBytes) return std::nullopt;
  const size_t body = payload.size() - kVersionBytes - kChecksumBytes;
  uint16_t version;
  uint64_t checksum;
  std::memcpy(&version, payload.data() + body, sizeof version);
  std::memcpy(&checksum, payload.data() + body + kVersionBytes, sizeof checksum);
  if (version > kRdbVersionReadMax) return std::nullopt;
  // Zero: the writer had checksums off.
  if (checksum != 0 && checksum != Crc64(0, payload.substr(0, body + kVersionBytes))) {
    return std::nullopt;
  }
  return payload.substr(0, body);
}

std::string MakeDumpPayload(std::string_view text) {
  std::string out(1, static_cast<char>(kRdbTypeString));
  AppendRdbText(out, text);
  AppendDumpFooter(out);
  return out;
}

std::string MakeDumpPayload(const collections::Collection& value) {
  const auto keep_all = [](std::string&) { return Status(); };
  std::string out(1, static_cast<char>(RdbTypeOf(value)));
  CHECK(AppendRdbCollection(out, value, keep_all).ok());
  AppendDumpFooter(out);
  return out;
}

Result<RdbValue> ReadDumpPayload(std::string_view body, collections::NodeMemory& memory) {
  TextSource source(body);
  RdbInput input(source);
  ASSIGN_OR_RETURN(const uint8_t type, input.ReadByte());
  RdbValue value;
  RETURN_IF_ERROR(RdbValueReader(input, memory).Read(type, value));
  if (input.offset() != body.size()) return input.Malformed("bytes behind the value");
  return value;
}

}  // namespace mikura::engine
