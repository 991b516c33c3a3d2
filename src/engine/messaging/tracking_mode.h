// SPDX-License-Identifier: Apache-2.0
// How a client wants to hear of changes of the keys that it caches: CLIENT TRACKING.
#pragma once

#include <cstdint>

namespace mikura::engine {

struct TrackingMode {
  bool on = false;
  bool broadcast = false;  // of all keys with its prefixes, whether it has read them or not
  bool opt_in = false;     // only of keys that it reads right after CLIENT CACHING YES
  bool opt_out = false;    // not of those that it reads right after CLIENT CACHING NO
  bool no_loop = false;    // not of its own changes
  bool caching = false;    // CLIENT CACHING was said, for the next command
  bool broken_redirect = false;
  uint64_t redirect = 0;  // the client that hears of it instead; 0: itself

  // Whether the keys of a reading command are to be remembered now.
  bool remembers() const { return on && !broadcast && (opt_in ? caching : !(opt_out && caching)); }
};

}  // namespace mikura::engine
