// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/memcached_prefixes.h"

#include <fmt/format.h>

namespace mikura::engine {

MemcachedPrefixes::Counts* MemcachedPrefixes::CountsOf(std::string_view key) {
  const size_t end = key.find(delimiter_);
  if (!enabled_ || end == std::string_view::npos) return nullptr;
  const std::string_view prefix = key.substr(0, end);
  const auto found = prefixes_.find(prefix);
  if (found != prefixes_.end()) return &found->second;
  if (prefixes_.size() >= kPrefixesMax) return nullptr;
  return &prefixes_[std::string(prefix)];
}

void MemcachedPrefixes::CountGet(std::string_view key, bool hit) {
  MutexLock lock(mutex_);
  if (Counts* counts = CountsOf(key)) {
    ++counts->gets;
    counts->hits += hit;
  }
}

void MemcachedPrefixes::CountSet(std::string_view key) {
  MutexLock lock(mutex_);
  if (Counts* counts = CountsOf(key)) ++counts->sets;
}

void MemcachedPrefixes::CountDelete(std::string_view key) {
  MutexLock lock(mutex_);
  if (Counts* counts = CountsOf(key)) ++counts->deletes;
}

bool MemcachedPrefixes::enabled() const {
  MutexLock lock(mutex_);
  return enabled_;
}

void MemcachedPrefixes::Enable(bool value) {
  MutexLock lock(mutex_);
  enabled_ = value;
}

void MemcachedPrefixes::Clear() {
  MutexLock lock(mutex_);
  prefixes_.clear();
}

std::string MemcachedPrefixes::Dump() const {
  MutexLock lock(mutex_);
  std::string text;
  for (const auto& [prefix, counts] : prefixes_) {
    text += fmt::format("PREFIX {} get {} hit {} set {} del {}\r\n", prefix, counts.gets,
                        counts.hits, counts.sets, counts.deletes);
  }
  return text + "END\r\n";
}

}  // namespace mikura::engine
