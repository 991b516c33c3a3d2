// SPDX-License-Identifier: Apache-2.0
#include "engine/store/defragmentation.h"

namespace mikura::engine::store {
namespace {

// Spans of one class that a pass marks, under the class's mutex: some tens of microseconds.
constexpr size_t kSpansMax = 2048;
constexpr UnixMillis kLookPeriod = 1000;
// After a pass that emptied less than half of what it marked: the rest cannot be moved.
constexpr UnixMillis kRest = 30'000;

}  // namespace

void Defragmentation::Tend(UnixMillis now) {
  if (pass() != 0) {
    if (shards_left_.load(std::memory_order_acquire) != 0) return;
    const size_t left = slabs_.EndEvacuation();
    pass_.store(0, std::memory_order_release);
    next_look_ = now + (left * 2 > marked_ ? kRest : 0);
    return;
  }
  if (now < next_look_) return;
  next_look_ = now + kLookPeriod;
  const SlotPool::Counts counts = slabs_.counts();
  if (counts.waste_bytes < kWasteBytesMin ||
      counts.waste_bytes * 100 < counts.given_out_bytes * kWastePercent) {
    return;
  }
  Begin();
}

void Defragmentation::Begin() {
  slabs_.FlushThreadCaches();
  marked_ = slabs_.BeginEvacuation(kSpansMax, kWastePercent / 2);
  if (marked_ == 0) return;
  shards_left_.store(kShardCount, std::memory_order_relaxed);
  pass_.store(++passes_, std::memory_order_release);
}

}  // namespace mikura::engine::store
