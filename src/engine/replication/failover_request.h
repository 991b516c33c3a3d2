// SPDX-License-Identifier: Apache-2.0
// What FAILOVER asks for.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace mikura::engine {

struct FailoverRequest {
  std::string host;  // empty: whichever replica has everything first
  int port = 0;
  bool is_forced = false;  // at the end of `timeout` also to one that has not everything
  std::optional<std::chrono::milliseconds> timeout;
};

}  // namespace mikura::engine
