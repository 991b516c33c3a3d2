// SPDX-License-Identifier: Apache-2.0
#include "engine/observation/tick_clock.h"

#include <chrono>
#include <cmath>
#include <thread>

namespace mikura::engine {
namespace {

int64_t NanosNow() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

TickScale::TickScale() : ticks_at_start_(TicksNow()), nanos_at_start_(NanosNow()) {
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  Refine();
}

void TickScale::Refine() {
  const uint64_t ticks = TicksNow() - ticks_at_start_;
  const int64_t nanos = NanosNow() - nanos_at_start_;
  if (ticks == 0 || nanos <= 0) return;
  const double micros_per_tick = static_cast<double>(nanos) / 1000 / static_cast<double>(ticks);
  micros_per_tick_.store(micros_per_tick, std::memory_order_relaxed);
  ticks_per_micro_.store(static_cast<uint64_t>(std::ceil(1 / micros_per_tick)),
                         std::memory_order_relaxed);
}

uint64_t TickScale::FromMicros(int64_t micros) const {
  if (micros < 0) return UINT64_MAX;
  return static_cast<uint64_t>(static_cast<double>(micros) / micros_per_tick());
}

}  // namespace mikura::engine
