// SPDX-License-Identifier: Apache-2.0
// A key with its hash and slot, computed once per request.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace mikura::engine {

inline constexpr uint32_t kSlotCount = 16384;
inline constexpr uint32_t kShardCount = 1024;  // shard = slot / 16: a slot lies in one shard

struct Key {
  std::string_view name;
  uint64_t hash = 0;
  uint16_t slot = 0;

  uint32_t shard() const { return slot >> 4; }
};

// Hash slot of Redis Cluster: CRC16 (XMODEM) of the key, or of the part between the first '{' and
// the next '}' when that part is not empty. Carry-less multiply where the processor has it.
uint16_t SlotOf(std::string_view name);

// Seeded, so that clients cannot choose keys that collide. One per process; immutable.
class KeyHasher {
 public:
  explicit KeyHasher(uint64_t seed) : seed_(seed) {}
  uint64_t Hash(std::string_view name) const;
  Key operator()(std::string_view name) const;
  // Appends the key to `keys`: made where it stays, it is not read back at once.
  void Append(std::string_view name, std::vector<Key>& keys) const;

 private:
  uint64_t seed_;
};

}  // namespace mikura::engine
