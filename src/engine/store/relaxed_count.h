// SPDX-License-Identifier: Apache-2.0
// A number that one lock holder changes and anybody may read.
#pragma once

#include <atomic>
#include <cstdint>

namespace mikura::engine::store {

// Add() is a load and a store, not a read-modify-write: callers of Add() exclude each other by the
// shard's lock (or are one thread). Readers without it see some recent value.
class RelaxedCount {
 public:
  RelaxedCount() = default;
  explicit RelaxedCount(int64_t value) : value_(value) {}

  void Add(int64_t delta) {
    value_.store(value_.load(std::memory_order_relaxed) + delta, std::memory_order_relaxed);
  }
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};  // publishes nothing but itself, to statistics
};

// By a caller who may change both.
inline void SwapCounts(RelaxedCount& a, RelaxedCount& b) {
  const int64_t value = a.value();
  a.Set(b.value());
  b.Set(value);
}

}  // namespace mikura::engine::store
