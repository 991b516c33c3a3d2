// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace mikura::engine {

// What a session that waits is waiting for. While it is suspended no request of it runs and nothing
// is read from its socket. What it had sent already is kept, in order, in Session::rest().
enum class Suspension : uint8_t {
  kNone,
  // Until whoever serves or cancels the wait resumes it, or until CLIENT PAUSE is over. Ends when
  // its peer does.
  kBlocked,
  kPaused,
  kPutAside,   // until the loop tries the request again: EventLoop::RetryPutAside()
  kPreparing,  // until what the request needs was computed: EventLoop::NoteComputed()
};

}  // namespace mikura::engine
