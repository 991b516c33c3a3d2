// SPDX-License-Identifier: Apache-2.0
// Up to where the change log is durable: what replies wait for, and who waits.
//
// H1. It is the minimum over the sources that are on: the local log (appendfsync always), the
//     replicas that are in sync (durability sync). With none on, everything counts as durable.
// H2. It falls when a source comes on, or when another history begins. What has left has left.
// H3. A waiter says what it needs, looks again, and sleeps. A publisher publishes, and looks at
// what
//     is needed. Whichever comes second sees the other: no wake-up is lost.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/mutex.h"
#include "engine/keyspace/log_chunk.h"

namespace mikura::engine {

class DurableHorizon {
 public:
  static constexpr Lsn kEverything = INT64_MAX;

  enum class Source : uint8_t { kLocalLog, kReplicas };
  // wake: makes a waiter look again; from any thread that publishes, with nothing locked here.
  using Wake = std::function<void(uint32_t waiter)>;

  DurableHorizon(uint32_t waiters, Wake wake);

  // ---- For sources, from any thread.
  // The source has everything before `lsn`; kEverything: it is off.
  void Publish(Source source, Lsn lsn) EXCLUDES(mutex_);

  // ---- For waiters, each on one thread.
  Lsn durable() const { return durable_.load(std::memory_order_seq_cst); }
  // Before the waiter sleeps: it is to be woken once `need` is durable. False: it is already.
  bool Await(uint32_t waiter, Lsn need) {
    Register(waiter, need);
    return durable() < need;
  }
  // The waiter needs nothing any more.
  void Forget(uint32_t waiter) { Register(waiter, kNothing); }

 protected:
  static constexpr Lsn kNothing = INT64_MAX;
  static constexpr int kSources = 2;

  // The first half of Await().
  void Register(uint32_t waiter, Lsn need) {
    needs_[waiter].value.store(need, std::memory_order_seq_cst);
  }

 private:
  struct alignas(64) Need {
    // Told by the waiter to those who publish, who take it back when they wake it.
    std::atomic<Lsn> value{kNothing};
  };

  void WakeReached(Lsn durable);

  const uint32_t waiters_;
  const Wake wake_;
  std::unique_ptr<Need[]> needs_;
  // Publishes nothing but itself, to waiters; in one order with needs_ (H3).
  std::atomic<Lsn> durable_{kEverything};
  Mutex mutex_;
  Lsn sources_[kSources] GUARDED_BY(mutex_) = {kEverything, kEverything};
};

}  // namespace mikura::engine
