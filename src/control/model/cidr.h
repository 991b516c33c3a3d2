// SPDX-License-Identifier: Apache-2.0
// IPv4 networks: "10.0.0.0/16".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mikura::control {

// The bits of `address` after the first `length` are zero.
struct Cidr {
  uint32_t address = 0;
  int length = 0;

  bool Contains(const Cidr& other) const;
  bool Overlaps(const Cidr& other) const;
  uint64_t AddressCount() const { return uint64_t{1} << (32 - length); }
  std::string Text() const;
  bool operator==(const Cidr&) const = default;
};

// Bits of the host are cleared, as AWS does: "10.0.0.5/16" is 10.0.0.0/16. nullopt for anything but
// four decimal numbers and a length.
std::optional<Cidr> ParseCidr(std::string_view text);

// An IPv6 network in canonical text ("2001:db8::/32"), with the bits of the host cleared.
std::optional<std::string> CanonicalIpv6Cidr(std::string_view text);

}  // namespace mikura::control
