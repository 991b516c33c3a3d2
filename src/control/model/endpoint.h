// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace mikura::control {

// Where clients connect. Empty while it has not been given out.
struct Endpoint {
  std::string address;
  int64_t port = 0;

  bool empty() const { return address.empty(); }
  bool operator==(const Endpoint&) const = default;
};

template <typename Visitor>
void VisitFields(Visitor& visit, Endpoint& endpoint) {
  visit("address", endpoint.address);
  visit("port", endpoint.port);
}

}  // namespace mikura::control
