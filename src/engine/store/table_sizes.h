// SPDX-License-Identifier: Apache-2.0
// How many buckets a table has.
//
// Sizes grow by 1.25 from a start between 1 and 1.25 that depends on the shard. Shards fill alike;
// with one list of sizes for all they would resize at one moment, and memory per key would swing
// by a quarter. With spread sizes a constant share of the shards is resizing.
#pragma once

#include <cmath>
#include <cstdint>

#include "engine/store/key.h"

namespace mikura::engine::store {

// 8.8 entries per bucket of 10 places; the mean over the sizes is then 7.8.
inline bool IsTooFull(int64_t keys, uint32_t buckets) { return keys * 5 >= int64_t{buckets} * 44; }

// 4.4 entries per bucket: after shrinking by 1.25 half the places are still free.
inline bool IsTooEmpty(int64_t keys, uint32_t buckets) {
  return buckets > 1 && keys * 5 < int64_t{buckets} * 22;
}

inline uint32_t TableSize(int step, uint32_t stagger) {
  return static_cast<uint32_t>(std::ceil(std::pow(1.25, step + stagger * (1.0 / kShardCount))));
}

// Step of the largest size that is at most about `buckets` / 1.25; a start for searching.
inline int StepBelow(uint32_t buckets) {
  const int step = static_cast<int>(std::log(buckets) / std::log(1.25)) - 2;
  return step < 0 ? 0 : step;
}

inline uint32_t LargerSize(uint32_t buckets, uint32_t stagger) {
  int step = StepBelow(buckets);
  while (TableSize(step, stagger) <= buckets) ++step;
  return TableSize(step, stagger);
}

inline uint32_t SmallerSize(uint32_t buckets, uint32_t stagger) {
  uint32_t size = 1;
  for (int step = StepBelow(buckets); TableSize(step, stagger) < buckets; ++step) {
    size = TableSize(step, stagger);
  }
  return size;
}

}  // namespace mikura::engine::store
