// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/function_payload.h"

#include <cstring>

#include "engine/persistence/crc64.h"
#include "engine/persistence/lzf.h"
#include "engine/persistence/rdb_format.h"

namespace mikura::engine {
namespace {

constexpr size_t kFooterBytes = sizeof(uint16_t) + sizeof(uint64_t);
constexpr size_t kCodeBytesMax = size_t{64} << 20;
constexpr char kBadPayload[] = "ERR DUMP payload version or checksum are wrong";
constexpr char kMalformed[] = "ERR Failed loading library payload";

template <typename Integer>
void AppendLittleEndian(std::string& out, Integer value) {
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  out.append(bytes, sizeof(value));
}

void AppendLength(std::string& out, uint32_t length) {
  if (length < (1u << 6)) {
    out += static_cast<char>(length);
  } else if (length < (1u << 14)) {
    out += static_cast<char>((kRdbLength14 << 6) | (length >> 8));
    out += static_cast<char>(length);
  } else {
    out += static_cast<char>(kRdbLength32Byte);
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift);
  }
}

class PayloadReader {
 public:
  explicit PayloadReader(std::string_view rest) : rest_(rest) {}

  bool is_empty() const { return rest_.empty(); }

  Result<uint8_t> Byte() {
    if (rest_.empty()) return Error{kMalformed};
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }

  Result<std::string> String() {
    ASSIGN_OR_RETURN(const uint8_t first, Byte());
    if (first == ((kRdbEncoded << 6) | kRdbLzf)) return Compressed();
    ASSIGN_OR_RETURN(const uint64_t size, LengthBehind(first));
    if (size > rest_.size()) return Error{kMalformed};
    std::string bytes(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return bytes;
  }

 private:
  Result<uint64_t> LengthBehind(uint8_t first) {
    if (first == kRdbLength32Byte) return BigEndian(4);
    if (first == kRdbLength64Byte) return BigEndian(8);
    switch (first >> 6) {
      case kRdbLength6:
        return uint64_t{first};
      case kRdbLength14: {
        ASSIGN_OR_RETURN(const uint8_t second, Byte());
        return (uint64_t{first & 0x3fu} << 8) | second;
      }
      default:
        return Error{kMalformed};
    }
  }

  Result<uint64_t> BigEndian(int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) {
      ASSIGN_OR_RETURN(const uint8_t byte, Byte());
      value = (value << 8) | byte;
    }
    return value;
  }

  Result<std::string> Compressed() {
    ASSIGN_OR_RETURN(const uint8_t first, Byte());
    ASSIGN_OR_RETURN(const uint64_t compressed, LengthBehind(first));
    ASSIGN_OR_RETURN(const uint8_t second, Byte());
    ASSIGN_OR_RETURN(const uint64_t size, LengthBehind(second));
    if (compressed > rest_.size() || size > kCodeBytesMax) return Error{kMalformed};
    std::string bytes(size, '\0');
    if (!ExpandLzf(rest_.substr(0, compressed), bytes)) return Error{kMalformed};
    rest_.remove_prefix(compressed);
    return bytes;
  }

  std::string_view rest_;
};

// What is in front of a footer that is right.
Result<std::string_view> CheckFooter(std::string_view payload) {
  if (payload.size() < kFooterBytes) return Error{kBadPayload};
  const size_t body = payload.size() - kFooterBytes;
  uint16_t version = 0;
  uint64_t checksum = 0;
  std::memcpy(&version, payload.data() + body, sizeof(version));
  std::memcpy(&checksum, payload.data() + body + sizeof(version), sizeof(checksum));
  const bool is_right = version <= kRdbVersionReadMax &&
                        checksum == Crc64(0, payload.substr(0, body + sizeof(version)));
  if (!is_right) return Error{kBadPayload};
  return payload.substr(0, body);
}

}  // namespace

std::string DumpFunctions(std::span<const std::string> codes) {
  std::string out;
  for (const std::string& code : codes) {
    out += static_cast<char>(RdbOpcode::kFunction);
    AppendLength(out, static_cast<uint32_t>(code.size()));
    out += code;
  }
  AppendLittleEndian(out, static_cast<uint16_t>(kRdbVersionWritten));
  AppendLittleEndian(out, Crc64(0, out));
  return out;
}

Result<std::vector<std::string>> ReadFunctionDump(std::string_view payload) {
  ASSIGN_OR_RETURN(const std::string_view body, CheckFooter(payload));
  PayloadReader reader(body);
  std::vector<std::string> codes;
  while (!reader.is_empty()) {
    ASSIGN_OR_RETURN(const uint8_t opcode, reader.Byte());
    if (opcode == static_cast<uint8_t>(RdbOpcode::kFunctionOld)) {
      return Error{"ERR Pre-GA function format not supported"};
    }
    if (opcode != static_cast<uint8_t>(RdbOpcode::kFunction)) {
      return Error{"ERR given type is not a function"};
    }
    ASSIGN_OR_RETURN(std::string code, reader.String());
    codes.push_back(std::move(code));
  }
  return codes;
}

}  // namespace mikura::engine
