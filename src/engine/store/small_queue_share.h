// SPDX-License-Identifier: Apache-2.0
// How much of a cache its small queue is to have: learned from which evicted keys come back.
//
// Of the keys that leave either queue, some are asked for again while they are still remembered.
// The queue whose keys come back more often gives up the more useful ones: it gets more room.
// Popular keys make the main queue large, a drifting working set the small one.
//
// Guarded by its owner.
#pragma once

#include <cstdint>

#include "engine/store/ghost_set.h"

namespace mikura::engine::store {

class SmallQueueShare {
 public:
  // Of the bytes of all keys.
  uint32_t permille() const { return static_cast<uint32_t>(permille_); }

  // A key was evicted; `keys` are left.
  void CountEviction(GhostOrigin origin, uint64_t keys);
  // An evicted key was stored again while it was remembered.
  void CountReturn(GhostOrigin origin) { of(origin).returns += 1; }

  // What the constants mean, and what others came to: docs/adr/0003-s3-fifo.md.
  static constexpr double kPermilleAtStart = 200;
  static constexpr double kPermilleMin = 50;
  static constexpr double kPermilleMax = 600;

 private:
  struct Counts {
    double evictions = 0;
    double returns = 0;

    // Of the keys evicted; never zero, so that it can be divided by.
    double ReturnRate() const { return (returns + 0.5) / (evictions + 1); }
    void Fade(double factor) {
      evictions *= factor;
      returns *= factor;
    }
  };

  Counts& of(GhostOrigin origin) { return origin == GhostOrigin::kSmallQueue ? small_ : main_; }
  void Adjust(uint64_t keys);

  double permille_ = kPermilleAtStart;
  Counts small_;
  Counts main_;
  uint64_t evictions_since_adjusted_ = 0;
};

}  // namespace mikura::engine::store
