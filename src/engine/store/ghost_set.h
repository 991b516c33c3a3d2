// SPDX-License-Identifier: Apache-2.0
// Fingerprints of keys that were evicted lately, and from which queue: 15 bits and one, in rows of
// 8 in which the newest pushes out the oldest. A key that never was in it is found in 1 of 4,000
// cases.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

namespace mikura::engine::store {

// Where an evicted key had been.
enum class GhostOrigin : uint8_t { kSmallQueue, kMainQueue };

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

  void Add(uint64_t key, GhostOrigin origin) {
    uint16_t* row = Row(key);
    std::memmove(row + 1, row, (kWays - 1) * sizeof *row);
    row[0] = FingerprintOf(key) | (origin == GhostOrigin::kMainQueue ? kMainBit : 0);
  }
  // Where it had been; nullopt when it is not there. It no longer is afterwards.
  std::optional<GhostOrigin> Take(uint64_t key) {
    if (cells_.empty()) return std::nullopt;
    uint16_t* row = Row(key);
    for (size_t i = 0; i < kWays; ++i) {
      if ((row[i] & ~kMainBit) != FingerprintOf(key)) continue;
      const bool was_main = (row[i] & kMainBit) != 0;
      row[i] = 0;
      return was_main ? GhostOrigin::kMainQueue : GhostOrigin::kSmallQueue;
    }
    return std::nullopt;
  }
  size_t memory_bytes() const { return cells_.capacity() * sizeof(uint16_t); }

 private:
  static constexpr size_t kWays = 8;
  static constexpr uint16_t kMainBit = 0x8000;

  static uint64_t Mixed(uint64_t key) {
    key *= 0x9E3779B97F4A7C15u;
    return (key ^ (key >> 32)) * 0xD6E8FEB86659FD93u;
  }
  static uint16_t FingerprintOf(uint64_t key) {
    const auto bits = static_cast<uint16_t>(Mixed(key) & ~uint64_t{kMainBit});
    return bits == 0 ? 1 : bits;
  }
  uint16_t* Row(uint64_t key) {
    const uint64_t rows = cells_.size() / kWays;
    return &cells_[((Mixed(key) >> 32) * rows >> 32) * kWays];
  }

  std::vector<uint16_t> cells_;  // 0: free
};

}  // namespace mikura::engine::store
