// SPDX-License-Identifier: Apache-2.0
// The clients that watch what happens (memcached's watch): lines, and the bounded buffer of each.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "engine/commands/output_source.h"

namespace mikura::engine {

// What a watcher wants to see; bits.
enum MemcachedWatch : uint8_t {
  kWatchFetchers = 1,
  kWatchMutations = 2,
  kWatchEvictions = 4,
  kWatchConnections = 8,
};

// The words behind `watch`; none: fetchers. Nothing for a word memcached 1.6.18 does not know.
std::optional<uint8_t> ReadMemcachedWatch(std::string_view words);

// A key as lines show it: letters, digits and "-._~" as they are, %XX for the rest.
std::string EncodeMemcachedKey(std::string_view key);

class MemcachedWatchers {
 public:
  static constexpr size_t kWatchersMax = 20;  // as memcached

  struct Totals {
    uint64_t watchers = 0;
    uint64_t lines_sent = 0;     // put into a watcher's buffer
    uint64_t lines_skipped = 0;  // dropped, since a buffer was full
  };

  // `buffer_bytes`: what one watcher may have waiting.
  explicit MemcachedWatchers(size_t buffer_bytes) : buffer_bytes_(buffer_bytes) {}

  // Adds a watcher; it ends when the source is destroyed. `wake` is called, from any thread, when
  // lines came after the source was empty, and once more perhaps after its end. Null: too many.
  std::unique_ptr<OutputSource> Add(uint8_t kinds, std::function<void()> wake) EXCLUDES(mutex_);

  // The kinds that anybody watches: one relaxed load.
  uint8_t kinds() const { return kinds_.load(std::memory_order_relaxed); }
  // Gives the line "ts=... gid=... `text`" to those who watch `kind`. A leaf lock; called with no
  // shard locked.
  void Emit(MemcachedWatch kind, std::string_view text) EXCLUDES(mutex_);
  // The same for who holds a shard's lock: nobody is woken before WakeWaiting().
  void Add(MemcachedWatch kind, std::string_view text) EXCLUDES(mutex_);
  // Wakes those who got lines by Add. One relaxed load when there are none; no shard locked.
  void WakeWaiting() EXCLUDES(mutex_);
  Totals totals() const EXCLUDES(mutex_);
  void ResetTotals() EXCLUDES(mutex_);

 private:
  class Watcher;
  using Wakes = std::vector<std::function<void()>>;
  void Remove(const Watcher* watcher) EXCLUDES(mutex_);
  // Gives the line to those who want it; `wakes` gets what is to be called for it.
  void Append(MemcachedWatch kind, std::string_view text, Wakes& wakes) REQUIRES(mutex_);
  void PublishKinds() REQUIRES(mutex_);

  const size_t buffer_bytes_;
  // Tells request threads whether lines are wanted at all; a stale value costs one line.
  std::atomic<uint8_t> kinds_{0};
  // Tells WakeWaiting that waiting_ may hold something; a stale value delays a line until the next
  // call, which background work makes many times a second.
  std::atomic<bool> has_waiting_{false};
  mutable Mutex mutex_;
  Wakes waiting_ GUARDED_BY(mutex_);
  std::vector<Watcher*> watchers_ GUARDED_BY(mutex_);
  Totals totals_ GUARDED_BY(mutex_);
  uint64_t last_line_ GUARDED_BY(mutex_) = 0;
};

}  // namespace mikura::engine
