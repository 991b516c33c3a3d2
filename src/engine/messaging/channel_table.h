// SPDX-License-Identifier: Apache-2.0
// How many subscribers each channel has on each event loop, for whoever publishes.
//
// Channels are spread over leaf locks (lock_order.md, level 3). What is published to a channel is
// posted under its lock, so that all loops see the messages of a channel in one order.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "engine/messaging/client_subscriptions.h"

namespace mikura::engine {

struct LoopSubscribers {
  uint32_t loop = 0;
  uint32_t count = 0;  // never 0
};

class ChannelTable {
 public:
  explicit ChannelTable(const KeyHasher& hasher);

  // One subscriber more, or fewer.
  void Add(std::string_view name, uint32_t loop);
  void Remove(std::string_view name, uint32_t loop);

  // Channels with subscribers; readable at any time.
  size_t size() const { return size_.load(std::memory_order_acquire); }
  // False: at some moment during the call it had none. One load when no channel has any.
  bool HasSubscribers(std::string_view name) const;
  uint64_t CountSubscribers(std::string_view name) const;
  // All names, in no order; those that stay are all there.
  std::vector<std::string> Names() const;

  // Calls post(loops) under the channel's lock, also when it has no subscribers.
  template <typename Post>
  void WithSubscribers(std::string_view name, const Post& post) {
    Stripe& stripe = StripeOf(name);
    MutexLock lock(stripe.mutex);
    const auto found = stripe.names.find(name);
    post(found == stripe.names.end() ? std::span<const LoopSubscribers>() : found->second);
  }

 private:
  static constexpr size_t kStripes = 64;
  struct alignas(64) Stripe {
    explicit Stripe(const KeyHasher& hasher) : names(0, NameHash{hasher}) {}
    mutable Mutex mutex;
    NameMap<std::vector<LoopSubscribers>> names GUARDED_BY(mutex);
  };
  Stripe& StripeOf(std::string_view name) const { return *stripes_[hasher_.Hash(name) % kStripes]; }

  const KeyHasher hasher_;
  std::vector<std::unique_ptr<Stripe>> stripes_;
  std::atomic<size_t> size_{0};
};

}  // namespace mikura::engine
