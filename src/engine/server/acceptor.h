// SPDX-License-Identifier: Apache-2.0
// Takes connections off listening sockets, and refuses those that cannot be served.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "engine/server/protocol.h"

namespace mikura::engine {

// How many clients there are and may be. Shared by all loops.
class ClientCount {
 public:
  // Counts one more, unless there are `most` already.
  bool TakePlace(uint32_t most) {
    if (count_.fetch_add(1, std::memory_order_relaxed) < most) return true;
    GivePlace();
    return false;
  }
  void GivePlace() { count_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  // Publishes nothing but itself, to the loops that accept. Written once per connection.
  std::atomic<uint32_t> count_{0};
};

// Tells the client why, as far as its socket takes it at once, and closes.
void RefuseConnection(UniqueFd fd, std::string_view words);

std::string_view TooManyClientsWords(Protocol protocol);
std::string_view ProtectedModeWords(Protocol protocol);

// Belongs to one event loop.
class Acceptor {
 public:
  Acceptor();

  enum class Outcome : uint8_t {
    kAccepted,
    kRefused,  // there was one, and no descriptor for it: it was told so and closed
    kAgain,    // one went away before it was accepted
    kNone,     // nobody is waiting (or the kernel has no memory: a later turn tries again)
  };
  // refusal: what one is told for whom there is no descriptor.
  Outcome Accept(int listener, std::string_view refusal, UnixMillis now, UniqueFd* accepted);

 private:
  Outcome RefuseOne(int listener, std::string_view refusal, UnixMillis now);

  // Given up for a moment when descriptors have run out, so that whoever waits is refused instead
  // of waking the loop for ever.
  UniqueFd spare_;
  UnixMillis next_warning_ = 0;
};

}  // namespace mikura::engine
