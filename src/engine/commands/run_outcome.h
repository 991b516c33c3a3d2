// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace mikura::engine {

// What became of a request.
enum class RunOutcome : uint8_t {
  kDone,       // it was answered
  kRefused,    // it was answered with an error, and did not run
  kBlocked,    // it ran, and its reply comes later: the client waits for a key
  kPaused,     // nothing was done: CLIENT PAUSE
  kPutAside,   // nothing was done: its shards, or the script token, were not to be had in time
  kPreparing,  // nothing was done: what it needs is computed first (preparation.h)
};

// Whether the request is to run again from its bytes.
constexpr bool RunsAgain(RunOutcome outcome) { return outcome >= RunOutcome::kPaused; }
// Whether the session of such a request runs no other one for the time being.
constexpr bool Suspends(RunOutcome outcome) { return outcome >= RunOutcome::kBlocked; }

}  // namespace mikura::engine
