// SPDX-License-Identifier: Apache-2.0
// Tasks that other threads post to an event loop. Posting never waits for the loop.
#pragma once

#include <atomic>
#include <functional>

#include "base/unique_fd.h"

namespace mikura::engine {

class Mailbox {
 public:
  using Task = std::function<void()>;

  Mailbox();
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Readable when tasks wait: for the loop's poller.
  int fd() const { return event_.get(); }

  // From any thread. Never under a shard lock: it may write to the eventfd.
  void Post(Task task);
  // Makes fd() readable although no task waits. From any thread; never under a shard lock.
  void Wake();
  // Runs what has arrived, oldest first, on the loop's thread.
  void RunAll();

 private:
  struct Node {
    Task task;
    Node* next = nullptr;
  };

  // A stack of posted nodes; release on push publishes the task, acquire on exchange takes them
  // all.
  std::atomic<Node*> head_{nullptr};
  UniqueFd event_;
};

}  // namespace mikura::engine
