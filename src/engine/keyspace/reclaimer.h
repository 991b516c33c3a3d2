// SPDX-License-Identifier: Apache-2.0
// Work on memory that would keep an event loop from serving, on a thread of its own: freeing what a
// flush detached (a second for millions of entries), and giving free memory back to the machine
// (some megabytes take milliseconds).
//
// The thread starts when there is something to do. Thread-safe; called with no shard lock held.
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

  // What the thread calls: `on_freed` whenever everything has been freed, `on_request` after
  // Request().
  Reclaimer(std::function<void()> on_freed, std::function<void()> on_request)
      : on_freed_(std::move(on_freed)), on_request_(std::move(on_request)) {}
  // Frees what is left.
  ~Reclaimer();
  Reclaimer(const Reclaimer&) = delete;
  Reclaimer& operator=(const Reclaimer&) = delete;

  // A table that a walk still reads is freed by the walk, when that is the last to let go.
  void Add(Tables tables);
  // Makes the thread call `on_request` soon: once, however often this was called meanwhile.
  void Request();

  // What is still to be freed. It counts as used memory, but makes nobody evict.
  int64_t waiting_bytes() const { return waiting_bytes_.load(std::memory_order_relaxed); }
  uint64_t waiting_keys() const { return waiting_keys_.load(std::memory_order_relaxed); }
  uint64_t freed_keys() const { return freed_keys_.load(std::memory_order_relaxed); }

 private:
  void StartThread() REQUIRES(mutex_);
  void Run();
  void Free(Tables tables);

  const std::function<void()> on_freed_;
  const std::function<void()> on_request_;
  // Publish nothing but themselves, to statistics and to the memory limit.
  std::atomic<int64_t> waiting_bytes_{0};
  std::atomic<uint64_t> waiting_keys_{0};
  std::atomic<uint64_t> freed_keys_{0};

  Mutex mutex_;
  CondVar changed_;
  Tables waiting_ GUARDED_BY(mutex_);
  bool is_requested_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;  // started under the mutex, joined when nobody calls any more
};

}  // namespace mikura::engine
