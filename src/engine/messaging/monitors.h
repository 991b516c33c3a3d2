// SPDX-License-Identifier: Apache-2.0
// MONITOR: clients that see every command.
#pragma once

#include <atomic>
#include <unordered_set>
#include <vector>

#include "engine/messaging/delivery_queues.h"

namespace mikura::engine {

class Monitors {
 public:
  // `queues` outlives this.
  explicit Monitors(DeliveryQueues& queues);

  // ---- On the thread of the client's loop.
  void Add(Receiver& client);
  void Remove(Receiver& client);

  // ---- From any thread, under any lock.
  // One relaxed load.
  bool is_active() const { return count_.load(std::memory_order_relaxed) != 0; }
  // line: of a command of `client`, which sees it behind the command's reply.
  void Show(const Message::Ref& line, uint64_t client);

 private:
  friend class LineDelivery;
  struct alignas(64) Loop {
    std::unordered_set<Receiver*> clients;  // of the loop's thread
    std::atomic<uint32_t> count{0};         // of them; relaxed
  };

  DeliveryQueues& queues_;
  std::vector<Loop> loops_;
  std::atomic<uint32_t> count_{0};
};

}  // namespace mikura::engine
