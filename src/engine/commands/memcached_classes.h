// SPDX-License-Identifier: Apache-2.0
// The slab classes memcached would put entries into. This engine has size classes of its own; these
// numbers only name groups of entries in statistics and dumps, as tools expect them.
// Source of the sizes: memcached 1.6.18 with -f and -n, as `stats slabs` shows them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mikura::engine {

class MemcachedClasses {
 public:
  static constexpr uint32_t kClassMax = 63;  // numbers above are no classes

  // growth_factor above 1; chunk_bytes: the least room for key, value and flags (-n).
  explicit MemcachedClasses(double growth_factor = 1.25, size_t chunk_bytes = 48,
                            size_t chunk_bytes_max = size_t{512} << 10);

  // The class of an entry of this size, counted as memcached does; 1 and up. O(log classes).
  uint32_t ClassOf(size_t entry_bytes) const;
  // Bytes of one chunk of a class.
  size_t ChunkBytes(uint32_t id) const { return chunk_bytes_[id - 1]; }
  uint32_t count() const { return static_cast<uint32_t>(chunk_bytes_.size()); }

 private:
  std::vector<size_t> chunk_bytes_;  // ascending, of class 1 and up
};

// Bytes memcached would count for an entry.
size_t MemcachedEntryBytes(size_t key_size, size_t value_size, uint32_t client_flags);

}  // namespace mikura::engine
