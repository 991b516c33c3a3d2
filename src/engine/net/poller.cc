// SPDX-License-Identifier: Apache-2.0
#include "engine/net/poller.h"

#include "base/check.h"

namespace mikura::engine {

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) { CHECK(epoll_.valid()); }

bool Poller::Add(int fd, uint32_t events, void* tag) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = tag;
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

bool Poller::AddConnection(int fd, void* tag) {
  return Add(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, tag);
}

bool Poller::AddListener(int fd, void* tag) { return Add(fd, EPOLLIN | EPOLLEXCLUSIVE, tag); }

bool Poller::AddReadable(int fd, void* tag) { return Add(fd, EPOLLIN, tag); }

void Poller::Remove(int fd) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

std::span<const epoll_event> Poller::Wait(int timeout_millis) {
  const int count =
      epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), timeout_millis);
  return {events_.data(), count > 0 ? static_cast<size_t>(count) : 0};
}

}  // namespace mikura::engine
