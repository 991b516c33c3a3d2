// SPDX-License-Identifier: Apache-2.0
#include "engine/messaging/pattern_table.h"

#include "base/check.h"
#include "wire/glob.h"

namespace mikura::engine {

PatternTable::PatternTable(const KeyHasher& hasher, uint32_t loop_count)
    : loop_count_(loop_count), patterns_(0, NameHash{hasher}) {}

void PatternTable::Add(std::string_view pattern, uint32_t loop) {
  MutexLock lock(mutex_);
  auto found = patterns_.find(pattern);
  if (found == patterns_.end()) {
    auto entry = std::make_shared<PatternEntry>(pattern, loop_count_);
    found = patterns_.emplace(pattern, std::move(entry)).first;
    list_.reset();
    size_.fetch_add(1, std::memory_order_release);
  }
  found->second->counts[loop].fetch_add(1, std::memory_order_relaxed);
  ++found->second->total;
}

void PatternTable::Remove(std::string_view pattern, uint32_t loop) {
  MutexLock lock(mutex_);
  const auto found = patterns_.find(pattern);
  CHECK(found != patterns_.end());
  found->second->counts[loop].fetch_sub(1, std::memory_order_relaxed);
  if (--found->second->total > 0) return;
  patterns_.erase(found);
  list_.reset();
  size_.fetch_sub(1, std::memory_order_release);
}

std::shared_ptr<const PatternTable::Entries> PatternTable::List() const {
  MutexLock lock(mutex_);
  if (list_ == nullptr) {
    auto list = std::make_shared<Entries>();
    list->reserve(patterns_.size());
    for (const auto& [pattern, entry] : patterns_) list->push_back(entry);
    list_ = std::move(list);
  }
  return list_;
}

PatternTable::Entries PatternTable::Match(std::string_view channel) const {
  Entries matching;
  if (size() == 0) return matching;
  const std::shared_ptr<const Entries> list = List();
  for (const auto& entry : *list) {
    if (wire::GlobMatch(entry->pattern, channel)) matching.push_back(entry);
  }
  return matching;
}

}  // namespace mikura::engine
