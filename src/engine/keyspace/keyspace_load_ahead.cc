// SPDX-License-Identifier: Apache-2.0
// Short loops, each for many keys, so that the processor waits for them all at once (ADR 2).
#include <algorithm>
#include <array>

#include "engine/keyspace/keyspace.h"

namespace mikura::engine {
namespace {

constexpr size_t kKeysAtOnce = 32;  // more would push the first out of the nearest cache

using store::HashTable;

}  // namespace

void Keyspace::LoadAhead(int database, std::span<const Key> keys) const {
  std::array<HashTable::Hint, kKeysAtOnce> hints;
  std::array<uint32_t, kKeysAtOnce> later;  // whose entry is in the second bucket of its chain
  for (; !keys.empty(); keys = keys.subspan(std::min(keys.size(), kKeysAtOnce))) {
    const auto count = static_cast<uint32_t>(std::min(keys.size(), kKeysAtOnce));
    const auto shard = [&](uint32_t i) -> const store::Shard& {
      return UnlockedShard(keys[i].shard());
    };
    for (uint32_t i = 0; i < count; ++i) hints[i].at = shard(i).HintedBucket(database, keys[i]);
    for (uint32_t i = 0; i < count; ++i) HashTable::LoadLine(hints[i].at);
    uint32_t later_count = 0;
    for (uint32_t i = 0; i < count; ++i) {
      hints[i] = shard(i).HintedEntry(hints[i].at, keys[i]);
      later[later_count] = i;
      later_count += hints[i].is_bucket ? 1 : 0;
    }
    for (uint32_t i = 0; i < count; ++i) HashTable::LoadEntry(hints[i].at);
    for (uint32_t n = 0; n < later_count; ++n) {
      const uint32_t i = later[n];
      hints[n] = shard(i).HintedEntry(hints[i].at, keys[i]);
    }
    for (uint32_t n = 0; n < later_count; ++n) HashTable::LoadEntry(hints[n].at);
  }
}

}  // namespace mikura::engine
