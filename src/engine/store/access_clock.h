// SPDX-License-Identifier: Apache-2.0
// The 3 bytes that an entry has while the policy is an LRU or LFU one, in Redis' own forms:
//   LRU: seconds since 1970, the low 24 bits
//   LFU: minutes since 1970, the low 16 bits, above an 8-bit logarithmic counter
// A switch between the two leaves old fields in the other form until keys are used again, as in
// Redis.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace mikura::engine::store {

inline constexpr uint32_t kAccessBytes = 3;

// What is tracked, in one word, so that one relaxed load gives it whole.
class AccessTracking {
 public:
  static constexpr uint32_t kCounterStart = 5;  // of a new key, so that it is not the first to go
  static constexpr uint32_t kCounterMax = 255;
  static constexpr uint32_t kIdleSecondsMax = 0xFFFFFF;

  constexpr AccessTracking() = default;
  explicit constexpr AccessTracking(uint64_t word) : word_(word) {}
  static constexpr AccessTracking Lru() { return AccessTracking(1); }
  // Both below 2^31. decay_minutes: time in which a counter loses 1; 0: never.
  static constexpr AccessTracking Lfu(uint32_t log_factor, uint32_t decay_minutes) {
    return AccessTracking(2 | uint64_t{log_factor} << 2 | uint64_t{decay_minutes} << 33);
  }

  constexpr bool operator==(const AccessTracking&) const = default;

  constexpr uint64_t word() const { return word_; }
  constexpr bool enabled() const { return word_ != 0; }
  constexpr bool is_lru() const { return (word_ & 3) == 1; }
  constexpr bool is_lfu() const { return (word_ & 3) == 2; }

  // The field of a key that is new at `now`.
  uint32_t First(UnixMillis now) const {
    return is_lfu() ? Minutes(now) << 8 | kCounterStart : Seconds(now);
  }
  // The field of a key that was last used so many seconds before `now`. Only for LRU.
  static uint32_t IdleFor(uint32_t seconds, UnixMillis now) {
    return (Seconds(now) - seconds) & 0xFFFFFF;
  }
  // The field of a key with that counter. Only for LFU.
  static uint32_t WithCounter(uint32_t counter, UnixMillis now) {
    return Minutes(now) << 8 | std::min(counter, kCounterMax);
  }
  // The field after a use at `now`. random: any evenly distributed bits.
  uint32_t Touched(uint32_t field, UnixMillis now, uint32_t random) const {
    if (!is_lfu()) return Seconds(now);
    return Minutes(now) << 8 | Incremented(Counter(field, now), random);
  }

  // LRU: whole seconds since the last use; wraps after 194 days.
  static uint32_t IdleSeconds(uint32_t field, UnixMillis now) {
    return (Seconds(now) - field) & 0xFFFFFF;
  }
  // LFU: the counter less what it has lost by now.
  uint32_t Counter(uint32_t field, UnixMillis now) const {
    const uint32_t counter = field & 0xFF;
    const auto decay_minutes = static_cast<uint32_t>(word_ >> 33);
    if (decay_minutes == 0) return counter;
    const uint32_t passed = (Minutes(now) - (field >> 8)) & 0xFFFF;
    return counter - std::min(counter, passed / decay_minutes);
  }

 private:
  static uint32_t Seconds(UnixMillis now) { return static_cast<uint32_t>(now / 1000) & 0xFFFFFF; }
  static uint32_t Minutes(UnixMillis now) { return static_cast<uint32_t>(now / 60000) & 0xFFFF; }

  // Plus 1 with probability 1 / ((counter - start) * factor + 1).
  uint32_t Incremented(uint32_t counter, uint32_t random) const {
    if (counter == kCounterMax) return counter;
    const uint64_t log_factor = (word_ >> 2) & 0x7FFFFFFF;
    const uint64_t above = counter > kCounterStart ? counter - kCounterStart : 0;
    const uint64_t odds = above * log_factor + 1;  // below 2^39
    return (static_cast<unsigned __int128>(random) * odds) >> 32 == 0 ? counter + 1 : counter;
  }

  uint64_t word_ = 0;
};

}  // namespace mikura::engine::store
