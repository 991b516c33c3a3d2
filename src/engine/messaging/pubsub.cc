// SPDX-License-Identifier: Apache-2.0
#include "engine/messaging/pubsub.h"

#include <algorithm>

#include "base/check.h"

namespace mikura::engine {
namespace {

constexpr uint64_t kDeliveryCost = 64;          // beside the bytes that are written
constexpr uint64_t kCopiedBytesMax = 16 << 10;  // what is larger goes by reference

// Of one subscription: its nodes in three tables, and the names in two of them.
int64_t SubscriptionBytes(std::string_view name) {
  constexpr int64_t kNodes = 256;
  return kNodes + 2 * static_cast<int64_t>(name.size());
}

}  // namespace

// One message for the subscribers of one loop.
class ChannelDelivery final : public Delivery {
 public:
  ChannelDelivery(PubSub& pubsub, uint32_t loop, SubscriptionKind kind, Message::Ref message,
                  std::shared_ptr<const PatternTable::Entries> patterns)
      : pubsub_(pubsub),
        loop_(loop),
        kind_(kind),
        message_(std::move(message)),
        patterns_(std::move(patterns)) {}

  void Run(ReceiverFinder&) override {
    pubsub_.DeliverToChannel(loop_, kind_, *message_);
    if (patterns_ == nullptr) return;
    for (const auto& entry : *patterns_) {
      pubsub_.DeliverToPattern(loop_, entry->pattern, *message_);
    }
  }

 private:
  PubSub& pubsub_;
  const uint32_t loop_;
  const SubscriptionKind kind_;
  const Message::Ref message_;
  const std::shared_ptr<const PatternTable::Entries> patterns_;  // that match; null: none
};

PubSub::PubSub(DeliveryQueues& queues, const KeyHasher& hasher)
    : queues_(queues),
      channels_(hasher),
      shard_channels_(hasher),
      patterns_(hasher, queues.loop_count()),
      loops_(queues.loop_count()) {
  for (LoopTables& loop : loops_) {
    loop.names.assign(kSubscriptionKinds, LoopNames(0, NameHash{hasher}));
  }
}

PubSub::~PubSub() = default;

void PubSub::AddShared(SubscriptionKind kind, std::string_view name, uint32_t loop) {
  if (kind == SubscriptionKind::kPattern) {
    patterns_.Add(name, loop);
  } else {
    TableOf(kind).Add(name, loop);
  }
}

void PubSub::RemoveShared(SubscriptionKind kind, std::string_view name, uint32_t loop) {
  if (kind == SubscriptionKind::kPattern) {
    patterns_.Remove(name, loop);
  } else {
    TableOf(kind).Remove(name, loop);
  }
}

bool PubSub::Subscribe(Receiver& client, SubscriptionKind kind, std::string_view name) {
  LoopNames& names = NamesOn(client.loop(), kind);
  auto found = names.find(name);
  if (found == names.end()) found = names.emplace(name, std::vector<Receiver*>()).first;
  auto& places = client.subscriptions.places[static_cast<size_t>(kind)];
  if (!places.emplace(&*found, found->second.size()).second) return false;
  found->second.push_back(&client);
  client.CountMemory(SubscriptionBytes(name));
  AddShared(kind, name, client.loop());
  return true;
}

bool PubSub::Unsubscribe(Receiver& client, SubscriptionKind kind, std::string_view name) {
  LoopNames& names = NamesOn(client.loop(), kind);
  const auto found = names.find(name);
  const auto& places = client.subscriptions.places[static_cast<size_t>(kind)];
  if (found == names.end() || !places.contains(&*found)) return false;
  RemoveShared(kind, name, client.loop());
  client.DeliverWaiting();
  RemoveLocal(client, kind, *found);
  return true;
}

// The last subscriber takes the place of the one that goes.
void PubSub::RemoveLocal(Receiver& client, SubscriptionKind kind, LoopName& name) {
  auto& places = client.subscriptions.places[static_cast<size_t>(kind)];
  const auto own = places.find(&name);
  CHECK(own != places.end());
  std::vector<Receiver*>& receivers = name.second;
  const size_t place = own->second;
  DCHECK(receivers[place] == &client);
  Receiver* const last = receivers.back();
  receivers[place] = last;
  last->subscriptions.places[static_cast<size_t>(kind)][&name] = place;
  receivers.pop_back();
  places.erase(&name);
  client.CountMemory(-SubscriptionBytes(name.first));
  if (receivers.empty()) {
    LoopNames& names = NamesOn(client.loop(), kind);
    names.erase(names.find(name.first));
  }
}

std::vector<std::string> PubSub::NamesOf(const Receiver& client, SubscriptionKind kind) {
  std::vector<std::string> names;
  const auto& places = client.subscriptions.places[static_cast<size_t>(kind)];
  names.reserve(places.size());
  for (const auto& [name, place] : places) names.push_back(name->first);
  return names;
}

void PubSub::UnsubscribeAll(Receiver& client) {
  if (client.subscriptions.empty()) return;
  for (size_t i = 0; i < kSubscriptionKinds; ++i) {
    const auto kind = static_cast<SubscriptionKind>(i);
    for (const auto& [name, place] : client.subscriptions.places[i]) {
      RemoveShared(kind, name->first, client.loop());
    }
  }
  client.DeliverWaiting();
  for (size_t i = 0; i < kSubscriptionKinds; ++i) {
    auto& places = client.subscriptions.places[i];
    while (!places.empty()) {
      RemoveLocal(client, static_cast<SubscriptionKind>(i), *places.begin()->first);
    }
  }
}

uint64_t PubSub::Publish(SubscriptionKind kind, std::string_view channel,
                         std::string_view payload) {
  std::shared_ptr<const PatternTable::Entries> patterns;
  if (kind == SubscriptionKind::kChannel) {
    PatternTable::Entries matching = patterns_.Match(channel);
    if (!matching.empty()) {
      patterns = std::make_shared<const PatternTable::Entries>(std::move(matching));
    }
  }
  ChannelTable& table = TableOf(kind);
  if (patterns == nullptr && !table.HasSubscribers(channel)) return 0;
  const Message::Ref message = Message::OfChannel(
      kind == SubscriptionKind::kShardChannel ? "smessage" : "message", channel, payload);
  uint64_t receivers = 0;
  table.WithSubscribers(channel, [&](std::span<const LoopSubscribers> subscribers) {
    receivers = Post(kind, message, subscribers, patterns);
  });
  return receivers;
}

uint64_t PubSub::Post(SubscriptionKind kind, const Message::Ref& message,
                      std::span<const LoopSubscribers> subscribers,
                      const std::shared_ptr<const PatternTable::Entries>& patterns) {
  uint64_t total = 0;
  const uint64_t cost = kDeliveryCost + std::min(message->text().size(), kCopiedBytesMax);
  const auto post = [&](uint32_t loop, uint64_t receivers) {
    queues_.Post(loop, std::make_unique<ChannelDelivery>(*this, loop, kind, message, patterns),
                 receivers * cost);
    total += receivers;
  };
  if (patterns == nullptr) {
    for (const LoopSubscribers& one : subscribers) post(one.loop, one.count);
    return total;
  }
  for (uint32_t loop = 0; loop < queues_.loop_count(); ++loop) {
    uint64_t receivers = 0;
    for (const LoopSubscribers& one : subscribers) {
      if (one.loop == loop) receivers += one.count;
    }
    for (const auto& entry : *patterns) {
      receivers += entry->counts[loop].load(std::memory_order_relaxed);
    }
    if (receivers > 0) post(loop, receivers);
  }
  return total;
}

void PubSub::DeliverToChannel(uint32_t loop, SubscriptionKind kind, const Message& message) {
  const LoopNames& names = NamesOn(loop, kind);
  const auto found = names.find(message.channel());
  if (found == names.end()) return;
  for (Receiver* client : found->second) {
    const char mark = client->push_mark();
    client->Push(PushOrder::kBeforeReply, {&mark, 1}, message, message.text());
  }
}

void PubSub::DeliverToPattern(uint32_t loop, const std::string& pattern, const Message& message) {
  const LoopNames& names = NamesOn(loop, SubscriptionKind::kPattern);
  const auto found = names.find(pattern);
  if (found == names.end()) return;
  std::string head = " 4\r\n$8\r\npmessage\r\n";
  AppendBulk(head, pattern);
  for (Receiver* client : found->second) {
    head[0] = client->push_mark();
    client->Push(PushOrder::kBeforeReply, head, message, message.tail());
  }
}

size_t PubSub::Count(SubscriptionKind kind) const {
  return kind == SubscriptionKind::kPattern ? patterns_.size() : TableOf(kind).size();
}

}  // namespace mikura::engine
