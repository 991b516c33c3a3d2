// SPDX-License-Identifier: Apache-2.0
// Walks over a shard as it was at one moment, while it changes: snapshots and full syncs.
//
// Each walk slot has one mark bit in every chain head and one "sense" per shard. A chain whose bit
// equals the sense is settled: the walk has seen it, or it did not exist when the walk began.
//
// Rules:
//   W1. While a slot has no walk, its bit equals its sense in every live chain. Beginning a walk
//       flips the sense, which makes every chain unsettled at once.
//   W2. Whoever changes a chain settles it first: insert, overwrite, delete, expiry, eviction,
//   moving
//       (source and destination).
//   W3. A slot becomes free only when every chain of every table it captured is settled; after an
//       abort the walk goes on without a consumer.
//   W4. A table taken out of the shard keeps the database number it had when the walk began, and
//   lives
//       until the last walk has seen it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/store/hash_table.h"

namespace mikura::engine::store {

class Table;
class EntryConsumer;

inline constexpr int kWalksMax = 4;  // mark bits of a chain head

class WalkSet {
 public:
  WalkSet() = default;
  WalkSet(const WalkSet&) = delete;
  WalkSet& operator=(const WalkSet&) = delete;

  // Marks for a chain that is created now.
  uint8_t senses() const { return senses_; }
  bool any_active() const { return active_ != 0; }
  bool is_active(int walk) const { return (active_ >> walk & 1) != 0; }

  // Gives the chain's entries to all walks that have not seen them. One test when no walk runs.
  void Settle(const HashTable& keys, Bucket* head) {
    if (active_ == 0) [[likely]]
      return;
    SettleForActive(keys, head);
  }

  void Begin(int walk, EntryConsumer& consumer);
  // Adds a table with chains to a walk that has just begun.
  void Capture(int walk, int database, Table& table);
  // Settles up to `chains` chains; true when the walk is complete and its slot free.
  bool Step(int walk, size_t chains);
  void Abort(int walk);

  // The contents of `table`, where it was captured, are now in `detached`.
  void OnDetach(const Table& table, const std::shared_ptr<Table>& detached);
  void OnSwap(Table& a, Table& b);

  // Whether W1 and the progress of the walks hold for a chain with first position `first`.
  bool IsConsistent(const HashTable& keys, const Bucket* head, uint64_t first) const;

 private:
  struct CapturedTable {
    int database;                     // number when the walk began
    Table* table;                     // where its contents are now; null when seen and let go
    std::shared_ptr<Table> detached;  // owner, with the caller of DetachDatabase and other walks
    uint64_t cursor = 0;              // positions below are settled
  };
  struct Walk {
    EntryConsumer* consumer = nullptr;  // null after an abort
    std::vector<CapturedTable> tables;
    size_t current = 0;
    uint64_t free_cursor = 0;  // progress in freeing a detached table
  };

  void SettleForActive(const HashTable& keys, Bucket* head);
  static bool FreeDetached(Walk& walk, CapturedTable& captured, size_t& chains);

  uint8_t active_ = 0;
  uint8_t senses_ = 0;
  std::unique_ptr<std::array<Walk, kWalksMax>> walks_;  // made by the first walk
};

}  // namespace mikura::engine::store
