// SPDX-License-Identifier: Apache-2.0
// The threads that compute what takes long: a few, made when they are needed. What comes while all
// of them are busy waits its turn.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "engine/commands/computation.h"

namespace mikura::engine {

class ComputationThreads final : public Computations {
 public:
  // tell: called on such a thread, with nothing held, when a computation of the client is done.
  explicit ComputationThreads(std::function<void(uint64_t client_id)> tell)
      : tell_(std::move(tell)) {}
  ~ComputationThreads() override { Stop(); }

  void Start(std::shared_ptr<Computation> computation, uint64_t client_id) override;
  // Ends all threads, when what they do is done; what waits is dropped.
  void Stop();

 private:
  struct Item {
    std::shared_ptr<Computation> computation;  // owned by its client too, who wants the result
    uint64_t client_id = 0;
  };
  void Run();

  const std::function<void(uint64_t client_id)> tell_;
  Mutex mutex_;
  CondVar work_;
  bool is_stopping_ GUARDED_BY(mutex_) = false;
  size_t idle_ GUARDED_BY(mutex_) = 0;
  std::deque<Item> queue_ GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ GUARDED_BY(mutex_);
};

}  // namespace mikura::engine
