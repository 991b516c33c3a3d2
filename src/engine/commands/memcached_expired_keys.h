// SPDX-License-Identifier: Apache-2.0
// Keys that background work removed a short while ago because their time had come: a get that comes
// for one counts in get_expired, as if the entry had waited for it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace mikura::engine {

// A table of hashes, in which a later key takes the place of an earlier one. Thread-safe.
class MemcachedExpiredKeys {
 public:
  static constexpr size_t kKeysMax = 8192;

  void Note(uint64_t hash) { At(hash).store(hash, std::memory_order_relaxed); }
  // Whether the key of this hash was noted, and has not been taken since. O(1).
  bool Take(uint64_t hash) {
    std::atomic<uint64_t>& place = At(hash);
    if (place.load(std::memory_order_relaxed) != hash) return false;
    return place.compare_exchange_strong(hash, 0, std::memory_order_relaxed);
  }

 private:
  std::atomic<uint64_t>& At(uint64_t hash) { return hashes_[hash % kKeysMax]; }

  // Publish nothing but themselves, from background work to those who miss a key; 0: none.
  std::array<std::atomic<uint64_t>, kKeysMax> hashes_{};
};

}  // namespace mikura::engine
