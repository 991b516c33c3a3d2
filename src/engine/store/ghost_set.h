// SPDX-License-Identifier: Apache-2.0
// Fingerprints of keys that were evicted lately: 16 bits each, in rows of 8 in which the newest
// pushes out the oldest. A key that never was in it is found in 1 of 8,000 cases.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace mikura::engine::store {

class GhostSet {
 public:
  // Room for about `keys` keys. When that differs by half from what there is, the set begins anew:
  // its keys are forgotten.
  void Resize(uint64_t keys) {
    const uint64_t rows = keys / kWays + 1;
    const uint64_t now = cells_.size() / kWays;
    if (now != 0 && rows * 2 <= now * 3 && rows * 2 >= now) return;
    cells_.assign(rows * kWays, 0);
  }
  void Clear() { cells_ = {}; }

  void Add(uint64_t key) {
    uint16_t* row = Row(key);
    std::memmove(row + 1, row, (kWays - 1) * sizeof *row);
    row[0] = FingerprintOf(key);
  }
  // Whether it was there; it no longer is.
  bool Take(uint64_t key) {
    if (cells_.empty()) return false;
    uint16_t* row = Row(key);
    for (size_t i = 0; i < kWays; ++i) {
      if (row[i] != FingerprintOf(key)) continue;
      row[i] = 0;
      return true;
    }
    return false;
  }
  size_t memory_bytes() const { return cells_.capacity() * sizeof(uint16_t); }

 private:
  static constexpr size_t kWays = 8;

  static uint64_t Mixed(uint64_t key) {
    key *= 0x9E3779B97F4A7C15u;
    return (key ^ (key >> 32)) * 0xD6E8FEB86659FD93u;
  }
  static uint16_t FingerprintOf(uint64_t key) {
    const auto bits = static_cast<uint16_t>(Mixed(key));
    return bits == 0 ? 1 : bits;
  }
  uint16_t* Row(uint64_t key) {
    const uint64_t rows = cells_.size() / kWays;
    return &cells_[((Mixed(key) >> 32) * rows >> 32) * kWays];
  }

  std::vector<uint16_t> cells_;  // 0: free
};

}  // namespace mikura::engine::store
