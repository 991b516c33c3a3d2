// SPDX-License-Identifier: Apache-2.0
#include "engine/messaging/monitors.h"

#include <utility>

namespace mikura::engine {

class LineDelivery final : public Delivery {
 public:
  LineDelivery(Monitors& owner, uint32_t loop, Message::Ref line, uint64_t client)
      : owner_(owner), loop_(loop), line_(std::move(line)), client_(client) {}

  void Run(ReceiverFinder&) override {
    for (Receiver* monitor : owner_.loops_[loop_].clients) {
      const bool is_own = monitor->id() == client_;
      monitor->Push(is_own ? PushOrder::kAfterReply : PushOrder::kBeforeReply, {}, *line_,
                    line_->text());
    }
  }

 private:
  Monitors& owner_;
  const uint32_t loop_;
  const Message::Ref line_;
  const uint64_t client_;
};

Monitors::Monitors(DeliveryQueues& queues) : queues_(queues), loops_(queues.loop_count()) {}

void Monitors::Add(Receiver& client) {
  Loop& loop = loops_[client.loop()];
  if (!loop.clients.insert(&client).second) return;
  loop.count.fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
}

void Monitors::Remove(Receiver& client) {
  Loop& loop = loops_[client.loop()];
  if (loop.clients.erase(&client) == 0) return;
  loop.count.fetch_sub(1, std::memory_order_relaxed);
  count_.fetch_sub(1, std::memory_order_relaxed);
}

void Monitors::Show(const Message::Ref& line, uint64_t client) {
  for (uint32_t loop = 0; loop < queues_.loop_count(); ++loop) {
    const uint64_t monitors = loops_[loop].count.load(std::memory_order_relaxed);
    if (monitors == 0) continue;
    queues_.Post(loop, std::make_unique<LineDelivery>(*this, loop, line, client),
                 monitors * (64 + line->text().size()));
  }
}

}  // namespace mikura::engine
