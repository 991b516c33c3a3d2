// SPDX-License-Identifier: Apache-2.0
// Bytes that wait in the buffers of the clients of one event loop: requests that have not arrived
// whole, replies that were not taken. They count against the memory limit, as in Redis; not in a
// node with memcached's command line, whose -m is for items.
//
// Added to by that loop only, when a buffer grows or goes; readable by anybody.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/thread_index.h"
#include "engine/store/memory_gauge.h"
#include "engine/store/relaxed_count.h"

namespace mikura::engine {

class ClientMemory {
 public:
  // `gauge` outlives this; null: the bytes count against nothing.
  explicit ClientMemory(store::MemoryGauge* gauge) : gauge_(gauge) {}

  void Add(int64_t delta) {
    bytes_.Add(delta);
    if (gauge_ != nullptr) gauge_->Add(ThreadIndex(), delta);
  }
  bool counts_against_limit() const { return gauge_ != nullptr; }
  uint64_t bytes() const { return static_cast<uint64_t>(bytes_.value()); }

 private:
  store::MemoryGauge* const gauge_;
  store::RelaxedCount bytes_;
};

// What one buffer has told a ClientMemory; takes it back at its end.
class CountedBytes {
 public:
  explicit CountedBytes(ClientMemory& memory) : memory_(memory) {}
  ~CountedBytes() { Set(0); }
  CountedBytes(const CountedBytes&) = delete;
  CountedBytes& operator=(const CountedBytes&) = delete;

  void Set(size_t bytes) {
    if (bytes == bytes_) return;
    memory_.Add(static_cast<int64_t>(bytes) - static_cast<int64_t>(bytes_));
    bytes_ = bytes;
  }
  void Add(int64_t delta) { Set(static_cast<size_t>(static_cast<int64_t>(bytes_) + delta)); }

 private:
  ClientMemory& memory_;
  size_t bytes_ = 0;
};

}  // namespace mikura::engine
