// SPDX-License-Identifier: Apache-2.0
#include "engine/store/walks.h"

#include "base/check.h"
#include "engine/store/shard.h"
#include "engine/store/table.h"
#include "engine/store/walk_mutants.h"

namespace mikura::engine::store {
namespace {

constexpr uint64_t kPositions = uint64_t{1} << 32;

}  // namespace

void WalkSet::SettleForActive(const HashTable& keys, Bucket* head) {
  uint8_t unsettled = (head->marks() ^ senses_) & active_;
  if (IsMutant(WalkMutant::kOneSense)) unsettled = ((head->marks() ^ senses_) & 1) * active_;
  if (unsettled == 0) return;
  for (int slot = 0; slot < kWalksMax; ++slot) {
    if ((unsettled >> slot & 1) == 0) continue;
    const Walk& walk = (*walks_)[slot];
    if (walk.consumer == nullptr) continue;
    const CapturedTable* captured = nullptr;
    for (const CapturedTable& candidate : walk.tables) {
      if (candidate.table != nullptr && &candidate.table->keys() == &keys) captured = &candidate;
    }
    // Not part of this walk: a table that was taken out of the shard before the walk began, and
    // which another walk is still reading.
    if (captured == nullptr) continue;
    keys.ForEach(head, [&](Bucket*, uint32_t, Entry entry) {
      walk.consumer->Consume(captured->database, entry);
    });
  }
  head->set_marks(senses_);
}

void WalkSet::Begin(int walk, EntryConsumer& consumer) {
  CHECK(walk >= 0 && walk < kWalksMax && !is_active(walk));
  if (walks_ == nullptr) walks_ = std::make_unique<std::array<Walk, kWalksMax>>();
  (*walks_)[walk] = Walk{};
  (*walks_)[walk].consumer = &consumer;
  senses_ ^= static_cast<uint8_t>(IsMutant(WalkMutant::kOneSense) ? 1 : 1 << walk);
  active_ |= static_cast<uint8_t>(1 << walk);
}

void WalkSet::Capture(int walk, int database, Table& table) {
  (*walks_)[walk].tables.push_back({database, &table, nullptr, 0});
}

bool WalkSet::Step(int slot, size_t chains) {
  CHECK(is_active(slot));
  Walk& walk = (*walks_)[slot];
  for (; walk.current < walk.tables.size(); ++walk.current) {
    CapturedTable& captured = walk.tables[walk.current];
    HashTable& keys = captured.table->keys();
    while (captured.cursor < kPositions && keys.has_chains()) {
      if (chains-- == 0) return false;
      const ChainRange range = keys.ChainAt(static_cast<uint32_t>(captured.cursor));
      keys.PrefetchAll(range.head);
      SettleForActive(keys, range.head);
      captured.cursor = range.end;
    }
    captured.cursor = kPositions;
    if (!FreeDetached(walk, captured, chains)) return false;
  }
  walk = Walk{};
  active_ &= static_cast<uint8_t>(~(1 << slot));
  return true;
}

// Lets go of a detached table. The last owner frees it in steps: this is under the shard's lock.
bool WalkSet::FreeDetached(Walk& walk, CapturedTable& captured, size_t& chains) {
  if (captured.detached == nullptr) return true;
  if (captured.detached.use_count() == 1 && !captured.table->FreeStep(walk.free_cursor, chains)) {
    return false;
  }
  walk.free_cursor = 0;
  captured.table = nullptr;
  captured.detached.reset();
  return true;
}

void WalkSet::Abort(int slot) {
  CHECK(is_active(slot));
  (*walks_)[slot].consumer = nullptr;
  if (IsMutant(WalkMutant::kSlotReused)) {
    (*walks_)[slot].tables.clear();
    CHECK(Step(slot, 0));
  }
}

void WalkSet::OnDetach(const Table& table, const std::shared_ptr<Table>& detached) {
  for (int slot = 0; slot < kWalksMax; ++slot) {
    if (!is_active(slot)) continue;
    for (CapturedTable& captured : (*walks_)[slot].tables) {
      if (captured.table != &table || captured.detached != nullptr) continue;
      captured.table = detached.get();
      captured.detached = detached;
    }
  }
}

void WalkSet::OnSwap(Table& a, Table& b) {
  for (int slot = 0; slot < kWalksMax; ++slot) {
    if (!is_active(slot)) continue;
    for (CapturedTable& captured : (*walks_)[slot].tables) {
      if (captured.table == &a) {
        captured.table = &b;
      } else if (captured.table == &b) {
        captured.table = &a;
      }
    }
  }
}

bool WalkSet::IsConsistent(const HashTable& keys, const Bucket* head, uint64_t first) const {
  const auto unsettled = static_cast<uint8_t>(head->marks() ^ senses_);
  for (int slot = 0; slot < kWalksMax; ++slot) {
    if ((unsettled >> slot & 1) == 0) continue;
    if (!is_active(slot)) return false;  // W1
    const Walk& walk = (*walks_)[slot];
    bool ahead = false;
    for (const CapturedTable& captured : walk.tables) {
      if (captured.table != nullptr && &captured.table->keys() == &keys && captured.cursor <= first)
        ahead = true;
    }
    if (!ahead) return false;
  }
  return true;
}

}  // namespace mikura::engine::store
