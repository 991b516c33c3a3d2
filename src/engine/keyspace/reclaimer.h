// SPDX-License-Identifier: Apache-2.0
// Frees what a flush detached, on a thread of its own: millions of entries take a second, in which
// an event loop could serve nobody.
//
// The thread starts with the first table that is handed over. Thread-safe; called with no shard
// lock held.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "engine/store/table.h"

namespace mikura::engine {

class Reclaimer {
 public:
  using Tables = std::vector<std::shared_ptr<store::Table>>;

  // `on_done` runs on the thread whenever everything has been freed.
  explicit Reclaimer(std::function<void()> on_done) : on_done_(std::move(on_done)) {}
  // Frees what is left.
  ~Reclaimer();
  Reclaimer(const Reclaimer&) = delete;
  Reclaimer& operator=(const Reclaimer&) = delete;

  // A table that a walk still reads is freed by the walk, when that is the last to let go.
  void Add(Tables tables);

  // What is still to be freed. It counts as used memory, but makes nobody evict.
  int64_t waiting_bytes() const { return waiting_bytes_.load(std::memory_order_relaxed); }
  uint64_t waiting_keys() const { return waiting_keys_.load(std::memory_order_relaxed); }
  uint64_t freed_keys() const { return freed_keys_.load(std::memory_order_relaxed); }

 private:
  void Run();
  void Free(Tables tables);

  const std::function<void()> on_done_;
  // Publish nothing but themselves, to statistics and to the memory limit.
  std::atomic<int64_t> waiting_bytes_{0};
  std::atomic<uint64_t> waiting_keys_{0};
  std::atomic<uint64_t> freed_keys_{0};

  Mutex mutex_;
  CondVar changed_;
  Tables waiting_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool started_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace mikura::engine
