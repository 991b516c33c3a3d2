// SPDX-License-Identifier: Apache-2.0
// The patterns that clients subscribe to, and how many subscribers each has on each event loop.
//
// A leaf lock guards the table. Whoever publishes compares with a list of the patterns that is made
// anew after they have changed, and holds no lock meanwhile: a comparison may be long.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "engine/messaging/client_subscriptions.h"

namespace mikura::engine {

// Shared by the table, its lists, and messages that matched it.
struct PatternEntry {
  PatternEntry(std::string_view text, uint32_t loop_count)
      : pattern(text), counts(new std::atomic<uint32_t>[loop_count]()) {}
  const std::string pattern;
  // Subscribers on each loop; changed under the table's lock, relaxed.
  const std::unique_ptr<std::atomic<uint32_t>[]> counts;
  uint64_t total = 0;  // guarded by the table's lock
};

class PatternTable {
 public:
  using Entries = std::vector<std::shared_ptr<const PatternEntry>>;

  PatternTable(const KeyHasher& hasher, uint32_t loop_count);

  void Add(std::string_view pattern, uint32_t loop);
  void Remove(std::string_view pattern, uint32_t loop);

  // Patterns with subscribers; readable at any time.
  size_t size() const { return size_.load(std::memory_order_acquire); }
  // Those that match. One load when there are none. Cost: all patterns are compared.
  Entries Match(std::string_view channel) const;

 private:
  std::shared_ptr<const Entries> List() const;

  const uint32_t loop_count_;
  mutable Mutex mutex_;
  NameMap<std::shared_ptr<PatternEntry>> patterns_ GUARDED_BY(mutex_);
  // Of all patterns, shared by those who compare; null after a change.
  mutable std::shared_ptr<const Entries> list_ GUARDED_BY(mutex_);
  std::atomic<size_t> size_{0};
};

}  // namespace mikura::engine
