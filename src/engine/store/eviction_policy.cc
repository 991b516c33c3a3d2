// SPDX-License-Identifier: Apache-2.0
#include "engine/store/eviction_policy.h"

namespace mikura::engine::store {
namespace {

struct PolicyName {
  std::string_view name;
  EvictionPolicy policy;
};

constexpr PolicyName kPolicies[] = {
    {"noeviction", {EvictionOrder::kNone, false}},
    {"allkeys-lru", {EvictionOrder::kLru, false}},
    {"volatile-lru", {EvictionOrder::kLru, true}},
    {"allkeys-lfu", {EvictionOrder::kLfu, false}},
    {"volatile-lfu", {EvictionOrder::kLfu, true}},
    {"allkeys-random", {EvictionOrder::kRandom, false}},
    {"volatile-random", {EvictionOrder::kRandom, true}},
    {"volatile-ttl", {EvictionOrder::kTtl, true}},
    {"allkeys-s3fifo", {EvictionOrder::kS3Fifo, false}},
    {"volatile-s3fifo", {EvictionOrder::kS3Fifo, true}},
};

}  // namespace

std::optional<EvictionPolicy> ParseEvictionPolicy(std::string_view name) {
  for (const PolicyName& row : kPolicies) {
    if (row.name == name) return row.policy;
  }
  return std::nullopt;
}

std::string_view EvictionPolicyName(EvictionPolicy policy) {
  for (const PolicyName& row : kPolicies) {
    if (row.policy == policy) return row.name;
  }
  return "noeviction";
}

}  // namespace mikura::engine::store
