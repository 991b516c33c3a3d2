// SPDX-License-Identifier: Apache-2.0
// Which keys make room when memory is at its limit.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/store/access_clock.h"

namespace mikura::engine::store {

enum class EvictionOrder : uint8_t {
  kNone,  // nothing is evicted: writes answer that there is no memory
  kLru,   // the longest unused of some keys
  kLfu,   // the least often used of some keys
  kRandom,
  kTtl,     // the next to expire
  kS3Fifo,  // queues that tell one-time keys from those used again
};

struct EvictionPolicy {
  EvictionOrder order = EvictionOrder::kNone;
  bool volatile_only = false;  // only keys with a deadline

  bool operator==(const EvictionPolicy&) const = default;
};

// As maxmemory-policy names them; nullopt for any other word.
std::optional<EvictionPolicy> ParseEvictionPolicy(std::string_view name);
std::string_view EvictionPolicyName(EvictionPolicy policy);

struct EvictionSettings {
  EvictionPolicy policy;
  uint32_t samples = 5;  // keys looked at for one victim (LRU, LFU, TTL)
  AccessTracking tracking;

  bool operator==(const EvictionSettings&) const = default;
};

// What entries keep for `policy`.
inline AccessTracking TrackingFor(EvictionPolicy policy, uint32_t lfu_log_factor,
                                  uint32_t lfu_decay_minutes) {
  if (policy.order == EvictionOrder::kLru) return AccessTracking::Lru();
  if (policy.order == EvictionOrder::kLfu) {
    return AccessTracking::Lfu(lfu_log_factor, lfu_decay_minutes);
  }
  return {};
}

}  // namespace mikura::engine::store
