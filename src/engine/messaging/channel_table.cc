// SPDX-License-Identifier: Apache-2.0
#include "engine/messaging/channel_table.h"

#include <algorithm>

#include "base/check.h"

namespace mikura::engine {
namespace {

auto FindLoop(std::vector<LoopSubscribers>& loops, uint32_t loop) {
  return std::find_if(loops.begin(), loops.end(),
                      [loop](const LoopSubscribers& held) { return held.loop == loop; });
}

}  // namespace

ChannelTable::ChannelTable(const KeyHasher& hasher) : hasher_(hasher) {
  for (size_t i = 0; i < kStripes; ++i) stripes_.emplace_back(new Stripe(hasher));
}

void ChannelTable::Add(std::string_view name, uint32_t loop) {
  Stripe& stripe = StripeOf(name);
  MutexLock lock(stripe.mutex);
  auto found = stripe.names.find(name);
  if (found == stripe.names.end()) {
    found = stripe.names.emplace(name, std::vector<LoopSubscribers>()).first;
    size_.fetch_add(1, std::memory_order_release);
  }
  const auto held = FindLoop(found->second, loop);
  if (held != found->second.end()) {
    ++held->count;
  } else {
    found->second.push_back({loop, 1});
  }
}

void ChannelTable::Remove(std::string_view name, uint32_t loop) {
  Stripe& stripe = StripeOf(name);
  MutexLock lock(stripe.mutex);
  const auto found = stripe.names.find(name);
  CHECK(found != stripe.names.end());
  const auto held = FindLoop(found->second, loop);
  CHECK(held != found->second.end());
  if (--held->count > 0) return;
  found->second.erase(held);
  if (!found->second.empty()) return;
  stripe.names.erase(found);
  size_.fetch_sub(1, std::memory_order_release);
}

bool ChannelTable::HasSubscribers(std::string_view name) const {
  if (size() == 0) return false;
  Stripe& stripe = StripeOf(name);
  MutexLock lock(stripe.mutex);
  return stripe.names.contains(name);
}

uint64_t ChannelTable::CountSubscribers(std::string_view name) const {
  Stripe& stripe = StripeOf(name);
  MutexLock lock(stripe.mutex);
  const auto found = stripe.names.find(name);
  if (found == stripe.names.end()) return 0;
  uint64_t total = 0;
  for (const LoopSubscribers& loop : found->second) total += loop.count;
  return total;
}

std::vector<std::string> ChannelTable::Names() const {
  std::vector<std::string> names;
  for (const auto& stripe : stripes_) {
    MutexLock lock(stripe->mutex);
    for (const auto& [name, loops] : stripe->names) names.push_back(name);
  }
  return names;
}

}  // namespace mikura::engine
