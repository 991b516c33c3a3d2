// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/reclaimer.h"

#include <utility>

namespace mikura::engine {

Reclaimer::~Reclaimer() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Reclaimer::Add(Tables tables) {
  for (const auto& table : tables) {
    waiting_bytes_.fetch_add(table->used_bytes(), std::memory_order_relaxed);
    waiting_keys_.fetch_add(static_cast<uint64_t>(table->key_count()), std::memory_order_relaxed);
  }
  MutexLock lock(mutex_);
  for (auto& table : tables) waiting_.push_back(std::move(table));
  if (!started_) thread_ = std::thread([this] { Run(); });
  started_ = true;
  changed_.NotifyAll();
}

void Reclaimer::Run() {
  while (true) {
    Tables tables;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !stopping_) changed_.Wait(mutex_);
      if (waiting_.empty()) return;
      tables.swap(waiting_);
    }
    Free(std::move(tables));
    on_done_();
  }
}

void Reclaimer::Free(Tables tables) {
  for (auto& table : tables) {
    const int64_t bytes = table->used_bytes();
    const auto keys = static_cast<uint64_t>(table->key_count());
    table.reset();
    waiting_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    waiting_keys_.fetch_sub(keys, std::memory_order_relaxed);
    freed_keys_.fetch_add(keys, std::memory_order_relaxed);
  }
}

}  // namespace mikura::engine
