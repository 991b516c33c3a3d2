// SPDX-License-Identifier: Apache-2.0
// Channels, patterns, sharded channels: who subscribes, and what is published to them.
//
// Two levels: tables that all threads share say on which event loops a channel has how many
// subscribers; each loop knows which of its clients they are. A message crosses to a loop once,
// whatever number of clients get it there.
//
// P1. A name is in the shared table with the number of its subscribers in the loops' tables.
// P2. Of one channel all loops see the messages in one order; those of one publisher are in the
//     order in which it published, whatever the channels.
// P3. A client that unsubscribes gets what was published before that was known, first.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/messaging/channel_table.h"
#include "engine/messaging/delivery_queues.h"
#include "engine/messaging/message.h"
#include "engine/messaging/pattern_table.h"
#include "engine/messaging/receiver.h"

namespace mikura::engine {

class PubSub {
 public:
  // `queues` outlives this.
  PubSub(DeliveryQueues& queues, const KeyHasher& hasher);
  ~PubSub();

  // ---- On the thread of the client's loop.
  // False when it had subscribed already.
  bool Subscribe(Receiver& client, SubscriptionKind kind, std::string_view name);
  // False when it had not.
  bool Unsubscribe(Receiver& client, SubscriptionKind kind, std::string_view name);
  // What it has subscribed to, in no order.
  static std::vector<std::string> NamesOf(const Receiver& client, SubscriptionKind kind);
  // At its end, or RESET: nothing is said about it.
  void UnsubscribeAll(Receiver& client);

  // ---- From any thread, under any lock.
  // Returns how many clients get it. kind: kChannel or kShardChannel. The loops are to be woken
  // later, with nothing held: WakePosted().
  uint64_t Publish(SubscriptionKind kind, std::string_view channel, std::string_view payload);
  void WakePosted() { queues_.WakePosted(); }
  // Whoever can wait publishes no more for now.
  bool is_congested() const { return queues_.is_congested(); }
  // Nobody would get anything on an ordinary channel.
  bool is_idle() const { return channels_.size() == 0 && patterns_.size() == 0; }

  // ---- From any thread.
  // Names with subscribers; of patterns, those that differ.
  size_t Count(SubscriptionKind kind) const;
  uint64_t CountSubscribers(SubscriptionKind kind, std::string_view channel) const {
    return TableOf(kind).CountSubscribers(channel);
  }
  std::vector<std::string> Channels(SubscriptionKind kind) const { return TableOf(kind).Names(); }

 private:
  friend class ChannelDelivery;
  struct alignas(64) LoopTables {
    std::vector<LoopNames> names;  // by kind; of the loop's thread
  };

  const ChannelTable& TableOf(SubscriptionKind kind) const {
    return kind == SubscriptionKind::kShardChannel ? shard_channels_ : channels_;
  }
  ChannelTable& TableOf(SubscriptionKind kind) {
    return kind == SubscriptionKind::kShardChannel ? shard_channels_ : channels_;
  }
  LoopNames& NamesOn(uint32_t loop, SubscriptionKind kind) {
    return loops_[loop].names[static_cast<size_t>(kind)];
  }
  void AddShared(SubscriptionKind kind, std::string_view name, uint32_t loop);
  void RemoveShared(SubscriptionKind kind, std::string_view name, uint32_t loop);
  void RemoveLocal(Receiver& client, SubscriptionKind kind, LoopName& name);
  uint64_t Post(SubscriptionKind kind, const Message::Ref& message,
                std::span<const LoopSubscribers> subscribers,
                const std::shared_ptr<const PatternTable::Entries>& patterns);
  void DeliverToChannel(uint32_t loop, SubscriptionKind kind, const Message& message);
  void DeliverToPattern(uint32_t loop, const std::string& pattern, const Message& message);

  DeliveryQueues& queues_;
  ChannelTable channels_;
  ChannelTable shard_channels_;
  PatternTable patterns_;
  std::vector<LoopTables> loops_;
};

}  // namespace mikura::engine
