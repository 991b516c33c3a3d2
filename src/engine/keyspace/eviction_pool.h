// SPDX-License-Identifier: Apache-2.0
// The best candidates of many samples: a few sampled keys say little, but those that were better
// than all others so far are kept for the next time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/store/shard.h"

namespace mikura::engine {

class EvictionPool {
 public:
  static constexpr size_t kSize = 16;
  struct Item {
    store::EvictionCandidate candidate;
    uint32_t shard = 0;
  };

  // Keeps it if it is better than the worst of a full pool.
  void Add(const Item& item) {
    const auto at = std::find_if(items_.begin(), items_.begin() + size_, [&](const Item& other) {
      return other.candidate.score >= item.candidate.score;
    });
    if (size_ < kSize) {
      std::move_backward(at, items_.begin() + size_, items_.begin() + size_ + 1);
      *at = item;
      ++size_;
    } else if (at != items_.begin()) {
      std::move(items_.begin() + 1, at, items_.begin());
      *(at - 1) = item;
    }
  }
  bool empty() const { return size_ == 0; }
  // The one with the highest score; the pool must not be empty.
  Item TakeBest() { return items_[--size_]; }
  void Clear() { size_ = 0; }

 private:
  std::array<Item, kSize> items_;  // by score, lowest first
  size_t size_ = 0;
};

}  // namespace mikura::engine
