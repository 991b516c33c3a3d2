// SPDX-License-Identifier: Apache-2.0
// Bytes of data in the whole process, readable with one load.
//
// Each thread gathers its changes in a row of its own and adds them to the shared number when they
// exceed kFlushBytes. So admission (maxmemory) reads one line per command that is written rarely;
// it is off by at most kFlushBytes per thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/thread_index.h"
#include "engine/store/relaxed_count.h"

namespace mikura::engine::store {

class MemoryGauge {
 public:
  static constexpr int64_t kFlushBytes = 8192;

  // thread: the caller's ThreadIndex().
  void Add(uint32_t thread, int64_t delta) {
    RelaxedCount& pending = rows_[thread].pending;
    pending.Add(delta);
    const int64_t sum = pending.value();
    if (sum > kFlushBytes || sum < -kFlushBytes) {
      total_.fetch_add(sum, std::memory_order_relaxed);
      pending.Set(0);
    }
  }

  // Within kFlushBytes per thread of the truth.
  int64_t used_bytes() const { return total_.load(std::memory_order_relaxed); }

  // As used_bytes, but exact in what the calling thread has added. Reads a line of its own.
  int64_t UsedBytesSeenBy(uint32_t thread) const {
    return used_bytes() + rows_[thread].pending.value();
  }

  // The truth when no thread is changing it. Reads one line per possible thread.
  int64_t ExactBytes() const {
    int64_t sum = used_bytes();
    for (const Row& row : rows_) sum += row.pending.value();
    return sum;
  }

 private:
  struct alignas(64) Row {
    RelaxedCount pending;
  };

  alignas(64) std::atomic<int64_t> total_{0};  // publishes nothing but itself, to admission
  std::array<Row, kThreadsMax> rows_;
};

}  // namespace mikura::engine::store
