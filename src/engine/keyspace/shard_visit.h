// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/keyspace/keyspace.h"

namespace mikura::engine {

// Holds the lock of one shard for a handler that visits it: unless it is held already.
class ShardVisit {
 public:
  ShardVisit(Keyspace& keyspace, HeldShards held, uint32_t shard) NO_THREAD_SAFETY_ANALYSIS
      : lock_(held.contains(shard) ? nullptr : &keyspace.lock(shard)) {
    if (lock_ != nullptr) lock_->Lock();
  }
  ~ShardVisit() NO_THREAD_SAFETY_ANALYSIS {
    if (lock_ != nullptr) lock_->Unlock();
  }
  ShardVisit(const ShardVisit&) = delete;
  ShardVisit& operator=(const ShardVisit&) = delete;

 private:
  ShardLock* const lock_;
};

}  // namespace mikura::engine
