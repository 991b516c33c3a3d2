// SPDX-License-Identifier: Apache-2.0
// What became of a request, and what a session that waits is waiting for.
#pragma once

#include <cstdint>

namespace mikura::engine {

enum class RunOutcome : uint8_t {
  kDone,      // it was answered
  kBlocked,   // it ran, and its reply comes later: the client waits for a key
  kPutAside,  // nothing was done: its shards, or the script token, were not to be had in time
};

// While a session is suspended no request of it runs and nothing is read from its socket. What it
// had sent already is kept, in order, in Session::rest().
enum class Suspension : uint8_t {
  kNone,
  kBlocked,   // until whoever serves or cancels the wait resumes it; ends when its peer does
  kPutAside,  // until the loop tries the request again: EventLoop::RetryPutAside()
};

}  // namespace mikura::engine
