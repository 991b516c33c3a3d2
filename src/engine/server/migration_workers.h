// SPDX-License-Identifier: Apache-2.0
// The threads that wait for other nodes on behalf of MIGRATE: a few, made when they are needed.
// What comes while all of them are busy waits its turn.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/commands/migration.h"

namespace mikura::engine {

class MigrationWorkers final : public Migrations {
 public:
  explicit MigrationWorkers(const Clock& clock) : clock_(clock) {}
  ~MigrationWorkers() override { Stop(); }

  void Start(std::shared_ptr<Migration> migration) override;
  // Ends all threads; what goes on fails soon, what waits is dropped.
  void Stop();

 private:
  void Run();

  const Clock& clock_;
  Mutex mutex_;
  CondVar work_;
  bool is_stopping_ GUARDED_BY(mutex_) = false;
  size_t idle_ GUARDED_BY(mutex_) = 0;
  // Owners: the queue, and the thread that works on it.
  std::deque<std::shared_ptr<Migration>> queue_ GUARDED_BY(mutex_);
  std::set<LinkSocket*> sockets_ GUARDED_BY(mutex_);  // in use
  std::vector<std::thread> threads_ GUARDED_BY(mutex_);
};

}  // namespace mikura::engine
