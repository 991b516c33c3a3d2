// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace mikura::engine {

// What became of a request.
enum class RunOutcome : uint8_t {
  kDone,      // it was answered
  kBlocked,   // it ran, and its reply comes later: the client waits for a key
  kPutAside,  // nothing was done: its shards, or the script token, were not to be had in time
};

}  // namespace mikura::engine
