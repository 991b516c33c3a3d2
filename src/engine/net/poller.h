// SPDX-License-Identifier: Apache-2.0
// epoll of one event loop.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/unique_fd.h"

namespace mikura::engine {

class Poller {
 public:
  Poller();

  // Edge-triggered, readable and writable: for connections. `tag` comes back in Event::data.ptr.
  bool AddConnection(int fd, void* tag);
  // Level-triggered, readable, one loop woken per event: for listening sockets shared by several
  // loops.
  bool AddListener(int fd, void* tag);
  // Level-triggered, readable: for an eventfd.
  bool AddReadable(int fd, void* tag);
  void Remove(int fd);

  // Waits up to `timeout_millis` (-1: without end) for events; an interrupted wait returns none.
  std::span<const epoll_event> Wait(int timeout_millis);

 private:
  bool Add(int fd, uint32_t events, void* tag);

  UniqueFd epoll_;
  std::array<epoll_event, 256> events_{};
};

}  // namespace mikura::engine
