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
  StartThread();
}

void Reclaimer::Request() {
  MutexLock lock(mutex_);
  is_requested_ = true;
  StartThread();
}

void Reclaimer::StartThread() {
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  changed_.NotifyAll();
}

void Reclaimer::Run() {
  while (true) {
    Tables tables;
    bool is_requested = false;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !is_requested_ && !stopping_) changed_.Wait(mutex_);
      if (waiting_.empty() && stopping_) return;
      tables.swap(waiting_);
      is_requested = std::exchange(is_requested_, false);
    }
    if (is_requested) on_request_();
    if (tables.empty()) continue;
    Free(std::move(tables));
    on_freed_();
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
