// SPDX-License-Identifier: Apache-2.0
// Sets of shards, and which of them whoever runs a command holds already.
#pragma once

#include <bitset>

#include "engine/store/key.h"

namespace mikura::engine {

// The shards of one command, in ascending order when taken.
using ShardSet = std::bitset<kShardCount>;

// What is held around a command that visits shards by itself: nothing when it runs on its own, all
// shards of the transaction or script when it runs inside one. Whatever locks a shard for a handler
// asks this first. A view: the set outlives it, and may grow meanwhile.
class HeldShards {
 public:
  HeldShards() = default;  // none
  explicit HeldShards(const ShardSet& shards) : shards_(&shards) {}

  bool none() const { return shards_ == nullptr; }
  bool all() const { return shards_ != nullptr && shards_->all(); }
  bool contains(uint32_t shard) const { return shards_ != nullptr && shards_->test(shard); }

 private:
  const ShardSet* shards_ = nullptr;
};

}  // namespace mikura::engine
