// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/memcached_classes.h"

#include <algorithm>

#include "wire/memcached_parser.h"

namespace mikura::engine {
namespace {

constexpr size_t kHeaderBytes = 48;  // of memcached's item
constexpr size_t kAlignment = 8;

}  // namespace

MemcachedClasses::MemcachedClasses(double growth_factor, size_t chunk_bytes,
                                   size_t chunk_bytes_max) {
  const double factor = std::max(growth_factor, 1.01);
  auto size = static_cast<uint32_t>(kHeaderBytes + chunk_bytes);
  while (chunk_bytes_.size() + 1 < kClassMax &&
         size < static_cast<double>(chunk_bytes_max) / factor) {
    size = static_cast<uint32_t>((size + kAlignment - 1) / kAlignment * kAlignment);
    chunk_bytes_.push_back(size);
    size = static_cast<uint32_t>(size * factor);
  }
  // Larger entries are made of several chunks of the last class.
  chunk_bytes_.push_back(chunk_bytes_max);
}

uint32_t MemcachedClasses::ClassOf(size_t entry_bytes) const {
  const auto found = std::lower_bound(chunk_bytes_.begin(), chunk_bytes_.end(), entry_bytes);
  const auto index = static_cast<uint32_t>(found - chunk_bytes_.begin());
  return std::min(index + 1, count());
}

size_t MemcachedEntryBytes(size_t key_size, size_t value_size, uint32_t client_flags) {
  return key_size + value_size + wire::MemcachedParser::kItemOverhead +
         (client_flags != 0 ? sizeof(client_flags) : 0);
}

}  // namespace mikura::engine
