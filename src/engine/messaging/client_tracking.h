// SPDX-License-Identifier: Apache-2.0
// Client-side caching: tells clients that keys which they keep have changed.
//
// What is told is posted under the lock of the changed key's shard to the loop of each client, and
// stands behind the replies that the client got before.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/messaging/delivery_queues.h"
#include "engine/messaging/tracked_keys.h"
#include "engine/messaging/tracked_prefixes.h"
#include "engine/messaging/tracking_mode.h"

namespace mikura::engine {

class ClientTracking final {
 public:
  // Which loop serves a client; nothing when it is gone. Takes a leaf lock.
  using LoopOf = std::function<std::optional<uint32_t>(uint64_t id)>;
  ClientTracking(Keyspace& keyspace, DeliveryQueues& queues, LoopOf loop_of);

  // ---- On the thread of the client's loop.
  // Takes `mode` over into the client's; `prefixes` join those that a broadcasting client has.
  void Enable(Receiver& client, const TrackingMode& mode, std::span<const std::string> prefixes);
  void Disable(Receiver& client);
  // The shards of the keys are locked: the client has read them.
  void Remember(const Receiver& client, std::span<const Key> keys);
  // At the end of the loop's turn: tells broadcasting clients which keys have changed in it.
  bool HasChanges(uint32_t loop) const { return prefixes_.HasChanges(loop); }
  void TellChanges(uint32_t loop);
  // See TrackedKeys::Tend().
  void Tend(uint32_t first, uint32_t count) { keys_.Tend(first, count); }

  // ---- From any thread.
  bool is_active() const { return clients_.load(std::memory_order_relaxed) != 0; }
  // The client whose command begins on this thread, and changes what it changes; 0: it has ended.
  void SetWriter(uint64_t client) { writers_[ThreadIndex()].client = client; }
  void SetKeysMax(uint64_t most) { keys_.set_keys_max(most); }

  struct Counts {
    uint64_t clients = 0;
    uint64_t keys = 0;
    uint64_t items = 0;
    uint64_t prefixes = 0;
  };
  Counts counts() const {
    return {clients_.load(std::memory_order_relaxed), keys_.key_count(), keys_.item_count(),
            prefixes_.prefix_count()};
  }

 private:
  friend class ChangeDelivery;
  friend class RedirectedDelivery;
  friend class FlushDelivery;
  struct alignas(64) Writer {
    uint64_t client = 0;
  };
  struct alignas(64) Loop {
    std::unordered_set<Receiver*> clients;
  };

  uint64_t writer() const { return writers_[ThreadIndex()].client; }
  void OnFlushed();
  void OnChanged(const Key& key, std::span<const TrackingClient> clients);
  void Tell(Receiver& client, const Message::Ref& keys, PushOrder order);
  void TellFlush(uint32_t loop, PushOrder order);
  PushOrder OrderOn(uint32_t loop) const;
  static void Push(Receiver& client, const Message& keys, PushOrder order, bool redirected);

  DeliveryQueues& queues_;
  const LoopOf loop_of_;
  const std::unique_ptr<Writer[]> writers_;  // by thread
  std::atomic<uint64_t> clients_{0};
  std::vector<Loop> loops_;
  TrackedKeys keys_;
  TrackedPrefixes prefixes_;
};

}  // namespace mikura::engine
