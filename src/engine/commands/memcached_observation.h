// SPDX-License-Identifier: Apache-2.0
// What one request did, for watchers and for statistics per prefix. Filled only while somebody
// wants it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mikura::engine {

struct MemcachedObservation {
  // The entry before the request ran.
  bool found = false;
  size_t found_bytes = 0;  // of its value
  uint32_t found_flags = 0;
  // How a storage request ended, in memcached's words; empty: it was none.
  std::string_view stored;
};

}  // namespace mikura::engine
