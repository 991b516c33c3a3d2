// SPDX-License-Identifier: Apache-2.0
#include "engine/net/mailbox.h"

#include <sys/eventfd.h>

#include <utility>

#include "base/check.h"

namespace mikura::engine {

Mailbox::Mailbox() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK(event_.valid()); }

Mailbox::~Mailbox() {
  Node* node = head_.exchange(nullptr, std::memory_order_acquire);
  while (node != nullptr) delete std::exchange(node, node->next);
}

void Mailbox::Post(Task task) {
  Node* node = new Node{std::move(task)};
  Node* below = head_.load(std::memory_order_relaxed);
  do {
    node->next = below;
  } while (!head_.compare_exchange_weak(below, node, std::memory_order_release,
                                        std::memory_order_relaxed));
  // Only the poster that found it empty wakes the loop (the node may be gone by now).
  if (below == nullptr) Wake();
}

void Mailbox::Wake() { eventfd_write(event_.get(), 1); }

void Mailbox::RunAll() {
  eventfd_t ignored = 0;
  eventfd_read(event_.get(), &ignored);
  Node* newest_first = head_.exchange(nullptr, std::memory_order_acquire);
  Node* oldest_first = nullptr;
  while (newest_first != nullptr) {
    Node* next = newest_first->next;
    newest_first->next = oldest_first;
    oldest_first = newest_first;
    newest_first = next;
  }
  while (oldest_first != nullptr) {
    Node* node = std::exchange(oldest_first, oldest_first->next);
    node->task();
    delete node;
  }
}

}  // namespace mikura::engine
