// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/durable_horizon.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mikura::engine {

DurableHorizon::DurableHorizon(uint32_t waiters, Wake wake)
    : waiters_(waiters), wake_(std::move(wake)), needs_(new Need[waiters]) {}

void DurableHorizon::Publish(Source source, Lsn lsn) {
  Lsn durable = 0;
  {
    MutexLock lock(mutex_);
    sources_[static_cast<int>(source)] = lsn;
    durable = *std::min_element(std::begin(sources_), std::end(sources_));
    if (durable == durable_.load(std::memory_order_relaxed)) return;
    durable_.store(durable, std::memory_order_seq_cst);
  }
  WakeReached(durable);
}

void DurableHorizon::WakeReached(Lsn durable) {
  for (uint32_t waiter = 0; waiter < waiters_; ++waiter) {
    std::atomic<Lsn>& value = needs_[waiter].value;
    Lsn need = value.load(std::memory_order_seq_cst);
    // Another need, told meanwhile, is the business of its own look.
    while (need != kNothing && need <= durable) {
      if (!value.compare_exchange_weak(need, kNothing, std::memory_order_seq_cst)) continue;
      wake_(waiter);
      break;
    }
  }
}

}  // namespace mikura::engine
