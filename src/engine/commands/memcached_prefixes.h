// SPDX-License-Identifier: Apache-2.0
// Statistics per key prefix: what stands before the delimiter (memcached's -D and stats detail).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/mutex.h"

namespace mikura::engine {

class MemcachedPrefixes {
 public:
  // More prefixes than this are not kept: clients choose the keys.
  static constexpr size_t kPrefixesMax = 10'000;

  MemcachedPrefixes(char delimiter, bool enabled) : delimiter_(delimiter), enabled_(enabled) {}

  // From any thread; a leaf lock. Keys without the delimiter are not counted.
  void CountGet(std::string_view key, bool hit) EXCLUDES(mutex_);
  void CountSet(std::string_view key) EXCLUDES(mutex_);
  void CountDelete(std::string_view key) EXCLUDES(mutex_);

  bool enabled() const EXCLUDES(mutex_);
  void Enable(bool value) EXCLUDES(mutex_);
  void Clear() EXCLUDES(mutex_);
  // What `stats detail dump` answers. O(prefixes).
  std::string Dump() const EXCLUDES(mutex_);
  char delimiter() const { return delimiter_; }

 private:
  struct Counts {
    uint64_t gets = 0, hits = 0, sets = 0, deletes = 0;
  };
  Counts* CountsOf(std::string_view key) REQUIRES(mutex_);

  const char delimiter_;
  mutable Mutex mutex_;
  bool enabled_ GUARDED_BY(mutex_);
  std::map<std::string, Counts, std::less<>> prefixes_ GUARDED_BY(mutex_);
};

}  // namespace mikura::engine
