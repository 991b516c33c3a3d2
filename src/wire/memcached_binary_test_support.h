// SPDX-License-Identifier: Apache-2.0
// Packets of memcached's binary protocol, for tests.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mikura::wire {

// `number` as `bytes` bytes, the highest first.
inline std::string BigEndian(uint64_t number, int bytes) {
  std::string text;
  for (int i = bytes; i-- > 0;) text += static_cast<char>(number >> (8 * i));
  return text;
}

struct BinaryPacket {
  uint8_t opcode = 0;
  std::string key;
  std::string extras;
  std::string value;
  uint64_t cas = 0;
  uint32_t opaque = 0;
  uint8_t magic = 0x80;
  // What the header says, where it is to lie.
  std::optional<uint16_t> key_length;
  std::optional<uint8_t> extras_length;
  std::optional<uint32_t> body_length;

  std::string Bytes() const {
    const uint64_t body = key.size() + extras.size() + value.size();
    return BigEndian(magic, 1) + BigEndian(opcode, 1) +
           BigEndian(key_length.value_or(static_cast<uint16_t>(key.size())), 2) +
           BigEndian(extras_length.value_or(static_cast<uint8_t>(extras.size())), 1) +
           BigEndian(0, 3) + BigEndian(body_length.value_or(static_cast<uint32_t>(body)), 4) +
           BigEndian(opaque, 4) + BigEndian(cas, 8) + extras + key + value;
  }
};

inline std::string StorageExtras(uint32_t flags, uint32_t exptime) {
  return BigEndian(flags, 4) + BigEndian(exptime, 4);
}
inline std::string CounterExtras(uint64_t delta, uint64_t initial, uint32_t exptime) {
  return BigEndian(delta, 8) + BigEndian(initial, 8) + BigEndian(exptime, 4);
}

// Replies as text: "opcode status [extras in hex] key|value" and a line end each; the CAS is left
// out, its presence marked by '*'.
inline std::string DescribeReplies(std::string_view bytes) {
  const auto number = [&bytes](size_t at, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
    return value;
  };
  std::string text;
  while (bytes.size() >= 24) {
    if (number(0, 1) != 0x81) return text + "not a reply";
    const uint64_t key = number(2, 2);
    const uint64_t extras = number(4, 1);
    const uint64_t body = number(8, 4);
    if (key + extras > body || bytes.size() < 24 + body) return text + "cut off";
    text +=
        fmt::format("{:02x} {:02x}{} [", number(1, 1), number(6, 2), number(16, 8) != 0 ? "*" : "");
    for (size_t i = 0; i < extras; ++i) text += fmt::format("{:02x}", number(24 + i, 1));
    text += fmt::format("] {}|{}\n", bytes.substr(24 + extras, key),
                        bytes.substr(24 + extras + key, body - extras - key));
    bytes.remove_prefix(24 + body);
  }
  return bytes.empty() ? text : text + "cut off";
}

}  // namespace mikura::wire
