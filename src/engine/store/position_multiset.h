// SPDX-License-Identifier: Apache-2.0
// A multiset of 32-bit positions in open addressing: 4 bytes a slot, at most three quarters full.
// Empty, it has no memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mikura::engine::store {

class PositionMultiset {
 public:
  void Add(uint32_t position) {
    ++size_;
    if (position == 0) {
      ++zeros_;
      return;
    }
    if ((size_ - zeros_) * 4 > slots_.size() * 3) Rehash(slots_.empty() ? 8 : slots_.size() * 2);
    Put(position);
  }

  // Takes one out; false when there is none.
  bool Take(uint32_t position) {
    if (size_ == 0) return false;
    if (position == 0) {
      if (zeros_ == 0) return false;
      --zeros_;
      --size_;
      return true;
    }
    if (slots_.empty()) return false;
    size_t i = Home(position);
    while (slots_[i] != position) {
      if (slots_[i] == 0) return false;
      i = (i + 1) & mask();
    }
    CloseGap(i);
    --size_;
    if (size_ == zeros_) slots_ = {};
    return true;
  }

  void Clear() { *this = {}; }
  size_t size() const { return size_; }
  size_t memory_bytes() const { return slots_.capacity() * sizeof(uint32_t); }

 private:
  size_t mask() const { return slots_.size() - 1; }
  size_t Home(uint32_t position) const { return (position * 0x9E3779B1u) >> 7 & mask(); }

  void Put(uint32_t position) {
    size_t i = Home(position);
    while (slots_[i] != 0) i = (i + 1) & mask();
    slots_[i] = position;
  }
  void Rehash(size_t slots) {
    std::vector<uint32_t> before(slots);
    before.swap(slots_);
    for (const uint32_t position : before) {
      if (position != 0) Put(position);
    }
  }
  // Empties slot `gap` and moves up what would not be found behind it.
  void CloseGap(size_t gap) {
    size_t i = gap;
    for (;;) {
      slots_[gap] = 0;
      for (;;) {
        i = (i + 1) & mask();
        if (slots_[i] == 0) return;
        const size_t home = Home(slots_[i]);
        if (((i - home) & mask()) >= ((i - gap) & mask())) break;
      }
      slots_[gap] = slots_[i];
      gap = i;
    }
  }

  std::vector<uint32_t> slots_;
  size_t size_ = 0;
  size_t zeros_ = 0;  // 0 marks a free slot, so position 0 is only counted
};

}  // namespace mikura::engine::store
