// SPDX-License-Identifier: Apache-2.0
#include "engine/messaging/client_tracking.h"

#include <utility>

namespace mikura::engine {
namespace {

constexpr uint64_t kTellCost = 128;  // beside the keys

constexpr std::string_view kPushHead = ">2\r\n$10\r\ninvalidate\r\n";
constexpr std::string_view kMessageHead = "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n";

// What a flush tells instead of keys.
Message::Ref AllKeys() { return Message::OfText({}); }

std::string_view TextOf(const Message& keys, int resp_version) {
  if (!keys.text().empty()) return keys.text();
  return resp_version >= 3 ? "_\r\n" : "$-1\r\n";
}

}  // namespace

// A key has changed that clients of one loop have read.
class ChangeDelivery final : public Delivery {
 public:
  ChangeDelivery(ClientTracking& owner, Message::Ref keys, uint64_t writer, PushOrder order)
      : owner_(owner), keys_(std::move(keys)), writer_(writer), order_(order) {}

  void Add(uint64_t client) { clients_.push_back(client); }
  size_t count() const { return clients_.size(); }

  void Run(ReceiverFinder& clients) override {
    for (const uint64_t id : clients_) {
      Receiver* const client = clients.FindReceiver(id);
      if (client == nullptr) continue;
      const TrackingMode& mode = client->tracking();
      if (!mode.on || mode.broadcast || (mode.no_loop && id == writer_)) continue;
      owner_.Tell(*client, keys_, order_);
    }
  }

 private:
  ClientTracking& owner_;
  const Message::Ref keys_;
  const uint64_t writer_;
  const PushOrder order_;
  std::vector<uint64_t> clients_;
};

// For the client to which another one redirects.
class RedirectedDelivery final : public Delivery {
 public:
  RedirectedDelivery(uint64_t client, Message::Ref keys)
      : client_(client), keys_(std::move(keys)) {}

  void Run(ReceiverFinder& clients) override {
    Receiver* const client = clients.FindReceiver(client_);
    if (client == nullptr) return;
    ClientTracking::Push(*client, *keys_, PushOrder::kAfterReply, true);
  }

 private:
  const uint64_t client_;
  const Message::Ref keys_;
};

class FlushDelivery final : public Delivery {
 public:
  FlushDelivery(ClientTracking& owner, uint32_t loop, PushOrder order)
      : owner_(owner), loop_(loop), order_(order) {}
  void Run(ReceiverFinder&) override { owner_.TellFlush(loop_, order_); }

 private:
  ClientTracking& owner_;
  const uint32_t loop_;
  const PushOrder order_;
};

ClientTracking::ClientTracking(Keyspace& keyspace, DeliveryQueues& queues, LoopOf loop_of)
    : queues_(queues),
      loop_of_(std::move(loop_of)),
      writers_(new Writer[kThreadsMax]),
      loops_(queues.loop_count()),
      keys_(
          keyspace,
          [this](const Key& key, std::span<const TrackingClient> clients) {
            OnChanged(key, clients);
          },
          [this] { OnFlushed(); }),
      prefixes_(keyspace, queues, [this] { return writer(); }) {}

void ClientTracking::Enable(Receiver& client, const TrackingMode& mode,
                            std::span<const std::string> prefixes) {
  if (loops_[client.loop()].clients.insert(&client).second) {
    clients_.fetch_add(1, std::memory_order_relaxed);
  }
  client.tracking() = mode;
  for (const std::string& prefix : prefixes) {
    if (!client.tracked_prefixes.insert(prefix).second) continue;
    prefixes_.Add(client, prefix);
    client.CountMemory(static_cast<int64_t>(2 * prefix.size()));
  }
}

void ClientTracking::Disable(Receiver& client) {
  if (loops_[client.loop()].clients.erase(&client) == 0) return;
  clients_.fetch_sub(1, std::memory_order_relaxed);
  for (const std::string& prefix : client.tracked_prefixes) {
    prefixes_.Remove(client, prefix);
    client.CountMemory(-static_cast<int64_t>(2 * prefix.size()));
  }
  client.tracked_prefixes.clear();
  client.tracking() = {};
}

void ClientTracking::Remember(const Receiver& client, std::span<const Key> keys) {
  for (const Key& key : keys) keys_.Add(key, {client.id(), client.loop()});
}

// Behind the reply of the request that runs meanwhile on `loop`: that may be the value that changes
// now, read just before. Told before it, the client would drop what it does not have yet, and keep
// the old value. Only what the loop removes to make room has gone before its request runs.
PushOrder ClientTracking::OrderOn(uint32_t loop) const {
  const bool makes_room = writer() == 0 && queues_.is_loop_of_thread(loop);
  return makes_room ? PushOrder::kBeforeReply : PushOrder::kAfterReply;
}

void ClientTracking::OnChanged(const Key& key, std::span<const TrackingClient> clients) {
  std::string text = "*1\r\n";
  AppendBulk(text, key.name);
  const uint64_t cost = kTellCost + text.size();
  const Message::Ref keys = Message::OfText(std::move(text));
  std::vector<std::pair<uint32_t, std::unique_ptr<ChangeDelivery>>> deliveries;
  for (const TrackingClient& client : clients) {
    size_t i = 0;
    while (i < deliveries.size() && deliveries[i].first != client.loop) ++i;
    if (i == deliveries.size()) {
      deliveries.emplace_back(client.loop, std::make_unique<ChangeDelivery>(*this, keys, writer(),
                                                                            OrderOn(client.loop)));
    }
    deliveries[i].second->Add(client.id);
  }
  for (auto& [loop, delivery] : deliveries) {
    const uint64_t count = delivery->count();
    queues_.Post(loop, std::move(delivery), count * cost);
  }
}

void ClientTracking::OnFlushed() {
  if (!is_active()) return;
  for (uint32_t loop = 0; loop < queues_.loop_count(); ++loop) {
    queues_.Post(loop, std::make_unique<FlushDelivery>(*this, loop, OrderOn(loop)), kTellCost);
  }
}

void ClientTracking::TellFlush(uint32_t loop, PushOrder order) {
  const Message::Ref all = AllKeys();
  for (Receiver* client : loops_[loop].clients) Tell(*client, all, order);
}

void ClientTracking::TellChanges(uint32_t loop) {
  prefixes_.TellChanges(loop, [this](Receiver& client, const Message::Ref& keys) {
    Tell(client, keys, PushOrder::kAfterReply);
  });
}

void ClientTracking::Tell(Receiver& client, const Message::Ref& keys, PushOrder order) {
  TrackingMode& mode = client.tracking();
  if (mode.redirect == 0) return Push(client, *keys, order, false);
  const std::optional<uint32_t> loop = loop_of_(mode.redirect);
  if (loop) {
    queues_.Post(*loop, std::make_unique<RedirectedDelivery>(mode.redirect, keys),
                 kTellCost + keys->text().size());
    return;
  }
  mode.broken_redirect = true;
  client.PublishState();
  if (client.resp_version() < 3) return;
  client.Push(order,
              ">2\r\n$21\r\ntracking-redir-broken\r\n:" + std::to_string(mode.redirect) + "\r\n");
}

void ClientTracking::Push(Receiver& client, const Message& keys, PushOrder order, bool redirected) {
  const int version = client.resp_version();
  // RESP2 has no pushes: only a subscriber reads what it did not ask for.
  if (version < 3 && !(redirected && client.is_subscriber())) return;
  client.Push(order, version >= 3 ? kPushHead : kMessageHead, keys, TextOf(keys, version));
}

}  // namespace mikura::engine
