// SPDX-License-Identifier: Apache-2.0
#include "engine/server/migration_workers.h"

#include <utility>

namespace mikura::engine {

void MigrationWorkers::Start(std::shared_ptr<Migration> migration) {
  constexpr size_t kThreads = 8;
  MutexLock lock(mutex_);
  if (is_stopping_) return;
  queue_.push_back(std::move(migration));
  if (idle_ < queue_.size() && threads_.size() < kThreads) {
    threads_.emplace_back([this] { Run(); });
  }
  work_.NotifyOne();
}

void MigrationWorkers::Stop() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex_);
    is_stopping_ = true;
    queue_.clear();
    for (LinkSocket* const socket : sockets_) socket->Interrupt();
    threads.swap(threads_);
    work_.NotifyAll();
  }
  for (std::thread& thread : threads) thread.join();
}

void MigrationWorkers::Run() {
  MutexLock lock(mutex_);
  while (true) {
    ++idle_;
    while (queue_.empty() && !is_stopping_) work_.Wait(mutex_);
    --idle_;
    if (is_stopping_) return;
    const std::shared_ptr<Migration> migration = std::move(queue_.front());
    queue_.pop_front();
    LinkSocket socket;
    sockets_.insert(&socket);
    mutex_.Unlock();
    migration->Run(socket, clock_);
    mutex_.Lock();
    sockets_.erase(&socket);
  }
}

}  // namespace mikura::engine
