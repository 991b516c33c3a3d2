// SPDX-License-Identifier: Apache-2.0
#include "bench/protocol.h"

#include <fmt/format.h>

#include <cstring>

#include "base/check.h"
#include "base/numbers.h"

namespace mikura::bench {
namespace {

constexpr size_t kHexDigits = 16;

void PutDecimal(uint64_t number, char* end) {
  do {
    *--end = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
}

// The upper digits are cut when `bytes` is under 16.
void PutHex(uint64_t number, char* out, size_t bytes) {
  const size_t digits = bytes < kHexDigits ? bytes : kHexDigits;
  for (size_t i = digits; i-- > 0; number >>= 4) out[i] = "0123456789abcdef"[number & 15];
}

Reply ErrorLine(std::string_view input) {
  const size_t end = input.find('\n');
  if (end == std::string_view::npos) return {};
  return {ReplyKind::kError, end + 1, input.substr(0, end)};
}

// A header line that ends in the value's length, then the value, CRLF and `trailer`.
Reply ReadValue(std::string_view input, size_t digits_begin, size_t line_end,
                std::string_view trailer) {
  const auto length = ParseUint64(input.substr(digits_begin, line_end - digits_begin));
  if (!length || *length > (1U << 30)) return ErrorLine(input);
  const size_t begin = line_end + 2;
  const size_t total = begin + *length + 2 + trailer.size();
  if (input.size() < total) return {};
  if (input.substr(begin + *length, 2) != "\r\n" ||
      input.substr(begin + *length + 2, trailer.size()) != trailer) {
    return {ReplyKind::kError, total, input.substr(0, line_end)};
  }
  return {ReplyKind::kHit, total, input.substr(begin, *length)};
}

Reply ReadResp(std::string_view input, std::string_view line) {
  if (line == "+OK") return {ReplyKind::kStored, 5, {}};
  if (line == "$-1" || line == "_") return {ReplyKind::kMiss, line.size() + 2, {}};
  if (line[0] == '$') return ReadValue(input, 1, line.size(), "");
  return ErrorLine(input);
}

Reply ReadText(std::string_view input, std::string_view line) {
  if (line == "STORED") return {ReplyKind::kStored, 8, {}};
  if (line == "END") return {ReplyKind::kMiss, 5, {}};
  if (line.substr(0, 6) == "VALUE ") {
    return ReadValue(input, line.rfind(' ') + 1, line.size(), "END\r\n");
  }
  return ErrorLine(input);
}

Reply ReadMeta(std::string_view input, std::string_view line) {
  if (line == "HD") return {ReplyKind::kStored, 4, {}};
  if (line == "EN") return {ReplyKind::kMiss, 4, {}};
  if (line.substr(0, 3) == "VA ") {
    return ReadValue(input, 3, line.find(' ', 3) < line.size() ? line.find(' ', 3) : line.size(),
                     "");
  }
  return ErrorLine(input);
}

// `number` as `bytes` bytes, the highest first.
std::string BigEndian(uint64_t number, int bytes) {
  std::string text;
  for (int i = bytes; i-- > 0;) text += static_cast<char>(number >> (8 * i));
  return text;
}

constexpr size_t kPacketHeader = 24;
constexpr char kPacketGet = 0;
constexpr char kPacketSet = 1;

// The header of a packet without CAS; magic is 0x80 in requests, 0x81 in replies.
std::string PacketHeader(int magic, char opcode, size_t key, size_t extras, size_t body) {
  return BigEndian(static_cast<uint64_t>(magic), 1) + opcode + BigEndian(key, 2) +
         BigEndian(extras, 1) + BigEndian(0, 3) + BigEndian(body, 4) + std::string(12, '\0');
}

Reply ReadPacket(std::string_view input) {
  if (input.size() < kPacketHeader) return {};
  if (static_cast<uint8_t>(input[0]) != 0x81) return {ReplyKind::kError, input.size(), input};
  const auto byte = [input](size_t at) { return uint32_t{static_cast<uint8_t>(input[at])}; };
  const size_t body = byte(8) << 24 | byte(9) << 16 | byte(10) << 8 | byte(11);
  const size_t total = kPacketHeader + body;
  if (input.size() < total) return {};
  const uint32_t status = byte(6) << 8 | byte(7);
  const std::string_view words = input.substr(kPacketHeader, body);
  if (status == 0 && input[1] == kPacketSet) return {ReplyKind::kStored, total, {}};
  if (status == 1 && input[1] == kPacketGet) return {ReplyKind::kMiss, total, {}};
  const size_t before_value = byte(2) * 256 + byte(3) + byte(4);
  if (status == 0 && input[1] == kPacketGet && before_value <= body) {
    return {ReplyKind::kHit, total, words.substr(before_value)};
  }
  return {ReplyKind::kError, total, words};
}

}  // namespace

std::optional<Protocol> ParseProtocol(std::string_view name) {
  if (name == "resp") return Protocol::kResp;
  if (name == "text") return Protocol::kMemcachedText;
  if (name == "meta") return Protocol::kMemcachedMeta;
  if (name == "mcbin") return Protocol::kMemcachedBinary;
  return std::nullopt;
}

RequestWriter::RequestWriter(const Shape& shape) : shape_(shape), filler_(shape.value_bytes, 'x') {
  CHECK(shape.key_bytes >= kKeyBytesMin);
  for (size_t i = 0; i < filler_.size(); ++i) filler_[i] = static_cast<char>('a' + (i * 7) % 26);
  const std::string key = "key:" + std::string(shape.key_bytes - 4, '0');
  const size_t length = shape.value_bytes;
  std::string before_value;
  switch (shape.protocol) {
    case Protocol::kResp: {
      get_ = fmt::format("*2\r\n$3\r\nGET\r\n${}\r\n{}\r\n", key.size(), key);
      before_value = fmt::format("*{}\r\n$3\r\nSET\r\n${}\r\n{}\r\n${}\r\n",
                                 shape.ttl_seconds == 0 ? 3 : 5, key.size(), key, length);
      const std::string ttl = std::to_string(shape.ttl_seconds);
      set_ = before_value + filler_ + "\r\n";
      if (shape.ttl_seconds != 0) set_ += fmt::format("$2\r\nEX\r\n${}\r\n{}\r\n", ttl.size(), ttl);
      break;
    }
    case Protocol::kMemcachedText:
      get_ = fmt::format("get {}\r\n", key);
      before_value = fmt::format("set {} 0 {} {}\r\n", key, shape.ttl_seconds, length);
      set_ = before_value + filler_ + "\r\n";
      break;
    case Protocol::kMemcachedMeta:
      get_ = fmt::format("mg {} v\r\n", key);
      before_value = fmt::format("ms {} {}", key, length);
      if (shape.ttl_seconds != 0) before_value += fmt::format(" T{}", shape.ttl_seconds);
      before_value += "\r\n";
      set_ = before_value + filler_ + "\r\n";
      break;
    case Protocol::kMemcachedBinary:
      get_ = PacketHeader(0x80, kPacketGet, key.size(), 0, key.size()) + key;
      before_value = PacketHeader(0x80, kPacketSet, key.size(), 8, 8 + key.size() + length) +
                     BigEndian(0, 4) + BigEndian(shape.ttl_seconds, 4) + key;
      set_ = before_value + filler_;
      break;
  }
  get_key_end_ = get_.find(key) + key.size();
  set_key_end_ = set_.find(key) + key.size();
  set_value_begin_ = before_value.size();
}

char* RequestWriter::Get(uint64_t key, char* out) const {
  std::memcpy(out, get_.data(), get_.size());
  PutDecimal(key, out + get_key_end_);
  return out + get_.size();
}

char* RequestWriter::Set(uint64_t key, char* out) const {
  std::memcpy(out, set_.data(), set_.size());
  PutDecimal(key, out + set_key_end_);
  PutHex(key, out + set_value_begin_, shape_.value_bytes);
  return out + set_.size();
}

std::string RequestWriter::ValueOf(uint64_t key) const {
  std::string value = filler_;
  PutHex(key, value.data(), value.size());
  return value;
}

bool RequestWriter::IsValueOf(uint64_t key, std::string_view value) const {
  return value == ValueOf(key);
}

std::string RequestWriter::HitReply(uint64_t key) const {
  std::string name = "key:" + std::string(shape_.key_bytes - 4, '0');
  PutDecimal(key, name.data() + name.size());
  const std::string value = ValueOf(key);
  switch (shape_.protocol) {
    case Protocol::kResp:
      return fmt::format("${}\r\n{}\r\n", value.size(), value);
    case Protocol::kMemcachedText:
      return fmt::format("VALUE {} 0 {}\r\n{}\r\nEND\r\n", name, value.size(), value);
    case Protocol::kMemcachedBinary:
      return PacketHeader(0x81, kPacketGet, 0, 4, 4 + value.size()) + BigEndian(0, 4) + value;
    case Protocol::kMemcachedMeta:
      break;
  }
  return fmt::format("VA {}\r\n{}\r\n", value.size(), value);
}

std::string RequestWriter::StoredReply() const {
  switch (shape_.protocol) {
    case Protocol::kResp:
      return "+OK\r\n";
    case Protocol::kMemcachedText:
      return "STORED\r\n";
    case Protocol::kMemcachedBinary:
      return PacketHeader(0x81, kPacketSet, 0, 0, 0);
    case Protocol::kMemcachedMeta:
      break;
  }
  return "HD\r\n";
}

Reply ReadReply(Protocol protocol, std::string_view input) {
  if (protocol == Protocol::kMemcachedBinary) return ReadPacket(input);
  const size_t newline = input.find('\n');
  if (newline == std::string_view::npos) return {};
  if (newline < 2 || input[newline - 1] != '\r') return ErrorLine(input);
  const std::string_view line = input.substr(0, newline - 1);
  switch (protocol) {
    case Protocol::kResp:
      return ReadResp(input, line);
    case Protocol::kMemcachedText:
      return ReadText(input, line);
    default:
      break;
  }
  return ReadMeta(input, line);
}

}  // namespace mikura::bench
