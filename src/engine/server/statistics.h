// SPDX-License-Identifier: Apache-2.0
// Counters of one event loop. Written by that loop only, read by anybody: INFO sums them up.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace mikura::engine {

// A counter with one writer: relaxed, since a reader needs no more than a recent value.
class Counter {
 public:
  void Add(uint64_t by) {
    value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  void Set(uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  uint64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class CommandObserver;
struct ScriptThread;

struct alignas(64) LoopStatistics {
  // Of the same loop; null where there is none.
  CommandObserver* observer = nullptr;
  ScriptThread* script_thread = nullptr;
  const std::function<void()>* busy_turn = nullptr;

  Counter commands;
  Counter connections_received;
  Counter connections_rejected;
  Counter connected_clients;
  Counter blocked_clients;  // that wait for a key, or for the end of a pause
  Counter input_bytes;
  Counter output_bytes;
  Counter hits;
  Counter misses;
  Counter error_replies;
  Counter idle_closed;    // connections closed by the idle timeout
  Counter expiry_micros;  // spent on keys whose time is over
  // As of late: TrafficWindow.
  Counter commands_per_second;
  Counter input_bytes_per_second;
  Counter output_bytes_per_second;
  Counter yields;  // times that a connection with more requests had to wait for a batch
};

}  // namespace mikura::engine
