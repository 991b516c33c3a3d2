// SPDX-License-Identifier: Apache-2.0
#include "engine/server/computation_threads.h"

#include "base/thread_priority.h"

namespace mikura::engine {

void ComputationThreads::Start(std::shared_ptr<Computation> computation, uint64_t client_id) {
  constexpr size_t kThreads = 4;
  MutexLock lock(mutex_);
  if (is_stopping_) return;
  queue_.push_back({std::move(computation), client_id});
  if (idle_ < queue_.size() && threads_.size() < kThreads) {
    threads_.emplace_back([this] { Run(); });
  }
  work_.NotifyOne();
}

void ComputationThreads::Stop() {
  std::vector<std::thread> threads;
  std::deque<Item> dropped;
  {
    MutexLock lock(mutex_);
    is_stopping_ = true;
    dropped.swap(queue_);
    threads.swap(threads_);
    work_.NotifyAll();
  }
  for (std::thread& thread : threads) thread.join();
}

void ComputationThreads::Run() {
  StandBack();
  MutexLock lock(mutex_);
  while (true) {
    ++idle_;
    while (queue_.empty() && !is_stopping_) work_.Wait(mutex_);
    --idle_;
    if (is_stopping_) return;
    {
      const Item item = std::move(queue_.front());
      queue_.pop_front();
      mutex_.Unlock();
      item.computation->Run();
      tell_(item.client_id);
    }
    mutex_.Lock();
  }
}

}  // namespace mikura::engine
