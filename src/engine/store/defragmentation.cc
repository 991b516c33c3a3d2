// SPDX-License-Identifier: Apache-2.0
#include "engine/store/defragmentation.h"

#include <algorithm>

namespace mikura::engine::store {
namespace {

// Spans of one class that a pass marks, under the class's mutex: some tens of microseconds.
constexpr size_t kSpansMax = 2048;
constexpr UnixMillis kLookPeriod = 1000;
// Threads tend their caches at least once in this time, unless a command keeps them.
constexpr UnixMillis kFlushTime = 150;
// The longest rest. A pass that emptied less than a quarter of what it marked doubles the rest:
// what is there cannot be moved, or writers fill it as fast as it is emptied.
constexpr UnixMillis kRestMax = 30'000;

}  // namespace

void Defragmentation::Tend(UnixMillis now) {
  if (pass() != 0) {
    if (shards_left_.load(std::memory_order_acquire) != 0) return;
    // Slots that were freed while the pass ran lie in threads' caches, and hold their spans.
    if (end_at_ == 0) {
      slabs_.FlushThreadCaches();
      end_at_ = now + kFlushTime;
    }
    if (now >= end_at_) End(now);
    return;
  }
  if (now < next_look_ || !enabled_.load(std::memory_order_relaxed)) return;
  next_look_ = now + kLookPeriod;
  const SlotPool::Counts counts = slabs_.counts();
  if (counts.waste_bytes < kWasteBytesMin ||
      counts.waste_bytes * 100 < counts.given_out_bytes * kWastePercent) {
    return;
  }
  Begin();
}

void Defragmentation::End(UnixMillis now) {
  const size_t emptied = marked_ - slabs_.EndEvacuation();
  end_at_ = 0;
  pass_.store(0, std::memory_order_release);
  rest_ = emptied * 4 >= marked_ ? 0 : std::clamp(rest_ * 2, kLookPeriod, kRestMax);
  next_look_ = now + rest_;
}

void Defragmentation::Begin() {
  slabs_.FlushThreadCaches();
  marked_ = slabs_.BeginEvacuation(kSpansMax, kWastePercent / 2);
  if (marked_ == 0) return;
  shards_left_.store(kShardCount, std::memory_order_relaxed);
  pass_.store(++passes_, std::memory_order_release);
}

}  // namespace mikura::engine::store
