// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/snapshot_backlog.h"

namespace mikura::engine {

void SnapshotBacklog::set_limit(uint64_t bytes) {
  limit_.store(bytes, std::memory_order_relaxed);
  Tell();
}

void SnapshotBacklog::Add(uint64_t bytes) {
  const uint64_t before = bytes_.fetch_add(bytes, std::memory_order_seq_cst);
  if (!IsFull(before) && IsFull(before + bytes)) Tell();
}

void SnapshotBacklog::Remove(uint64_t bytes) {
  const uint64_t before = bytes_.fetch_sub(bytes, std::memory_order_seq_cst);
  if (IsFull(before) && !IsFull(before - bytes)) Tell();
}

void SnapshotBacklog::Tell() {
  MutexLock lock(mutex_);
  if (listener_) listener_(IsFull(bytes_.load(std::memory_order_seq_cst)));
}

}  // namespace mikura::engine
