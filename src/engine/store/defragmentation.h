// SPDX-License-Identifier: Apache-2.0
// When memory is moved together, and which shards still have to do their part.
//
// A span of which one slot is in use keeps 64 KiB. A pass marks the emptiest spans of classes that
// waste much (SlabAllocator::BeginEvacuation), then every shard visits its chains, a few at a time
// under its lock, and moves what lies in marked spans into fuller ones. When all shards are
// through, the pass ends, and the next look decides whether another is worth while.
//
// What a pass does not move: chunks of expiry wheels, directories, and blocks that a reply or a
// walk holds. They stay where they are, and their spans are given free for use again when the pass
// ends. Large slots have pages of their own and need no moving.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "engine/store/key.h"
#include "engine/store/slab_allocator.h"

namespace mikura::engine::store {

// How far a shard is; guarded by the shard's lock.
struct DefragmentationProgress {
  uint64_t pass = 0;  // the pass that `database` and `position` belong to
  int database = 0;
  uint64_t position = 0;
  bool done = true;
};

class Defragmentation {
 public:
  // Below this much waste, and below this share of what is in use, nothing is moved.
  static constexpr uint64_t kWasteBytesMin = uint64_t{2} << 20;
  static constexpr uint32_t kWastePercent = 10;

  explicit Defragmentation(SlabAllocator& slabs) : slabs_(slabs) {}

  // Begins and ends passes; by one thread, regularly. No lock is held.
  void Tend(UnixMillis now);
  // Whether passes begin; from any thread.
  void set_enabled(bool value) { enabled_.store(value, std::memory_order_relaxed); }
  // Number of the pass that runs; 0: none.
  uint64_t pass() const { return pass_.load(std::memory_order_acquire); }
  // A shard has visited all its chains.
  void OnShardDone() { shards_left_.fetch_sub(1, std::memory_order_acq_rel); }

 private:
  void Begin();
  void End(UnixMillis now);

  SlabAllocator& slabs_;
  std::atomic<bool> enabled_{true};       // publishes nothing but itself, to Tend
  std::atomic<uint64_t> pass_{0};         // publishes shards_left_ of a new pass to all threads
  std::atomic<uint32_t> shards_left_{0};  // publishes to Tend that the shards have moved their data
  // Of the one thread that calls Tend.
  uint64_t passes_ = 0;
  UnixMillis next_look_ = 0;
  UnixMillis end_at_ = 0;  // of a pass that has been through all shards; 0: it has not
  UnixMillis rest_ = 0;
  size_t marked_ = 0;
};

}  // namespace mikura::engine::store
