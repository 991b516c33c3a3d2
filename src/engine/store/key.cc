// SPDX-License-Identifier: Apache-2.0
#include "engine/store/key.h"

#include "engine/store/crc16.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace mikura::engine {

uint16_t SlotOf(std::string_view name) {
  const size_t open = name.find('{');
  if (open != std::string_view::npos) [[unlikely]] {
    const size_t close = name.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) {
      name = name.substr(open + 1, close - open - 1);
    }
  }
  return Crc16(name) % kSlotCount;
}

uint64_t KeyHasher::Hash(std::string_view name) const {
  return XXH3_64bits_withSeed(name.data(), name.size(), seed_);
}

Key KeyHasher::operator()(std::string_view name) const { return {name, Hash(name), SlotOf(name)}; }

void KeyHasher::Append(std::string_view name, std::vector<Key>& keys) const {
  Key& key = keys.emplace_back();
  key.name = name;
  key.hash = Hash(name);
  key.slot = SlotOf(name);
}

}  // namespace mikura::engine
