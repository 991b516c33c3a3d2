// SPDX-License-Identifier: Apache-2.0
#include "control/model/cidr.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>

namespace mikura::control {
namespace {

// A decimal number without sign or leading zero, 0 to `max`; -1 for anything else.
int ParseSmall(std::string_view text, int max) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return -1;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value <= max ? value : -1;
}

uint32_t MaskOf(int length) { return length == 0 ? 0 : ~uint32_t{0} << (32 - length); }

}  // namespace

bool Cidr::Contains(const Cidr& other) const {
  return other.length >= length && (other.address & MaskOf(length)) == address;
}

bool Cidr::Overlaps(const Cidr& other) const { return Contains(other) || other.Contains(*this); }

std::string Cidr::Text() const {
  return fmt::format("{}.{}.{}.{}/{}", address >> 24, address >> 16 & 255, address >> 8 & 255,
                     address & 255, length);
}

std::optional<Cidr> ParseCidr(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const int length = ParseSmall(text.substr(slash + 1), 32);
  if (length < 0) return std::nullopt;
  std::string_view rest = text.substr(0, slash);
  uint32_t address = 0;
  for (int i = 0; i < 4; ++i) {
    const size_t dot = rest.find('.');
    if ((dot == std::string_view::npos) != (i == 3)) return std::nullopt;
    const int part = ParseSmall(rest.substr(0, dot), 255);
    if (part < 0) return std::nullopt;
    address = address << 8 | static_cast<uint32_t>(part);
    if (i < 3) rest.remove_prefix(dot + 1);
  }
  return Cidr{.address = address & MaskOf(length), .length = length};
}

std::optional<std::string> CanonicalIpv6Cidr(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const int length = ParseSmall(text.substr(slash + 1), 128);
  std::array<unsigned char, 16> bytes{};
  if (length < 0 || inet_pton(AF_INET6, std::string(text.substr(0, slash)).c_str(), &bytes) != 1) {
    return std::nullopt;
  }
  for (int bit = length; bit < 128; ++bit) {
    bytes[static_cast<size_t>(bit) / 8] &= static_cast<unsigned char>(~(0x80 >> bit % 8));
  }
  char canonical[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, &bytes, canonical, sizeof canonical);
  return fmt::format("{}/{}", canonical, length);
}

}  // namespace mikura::control
