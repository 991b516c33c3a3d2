// SPDX-License-Identifier: Apache-2.0
#include "engine/access/access_log.h"

#include <algorithm>

namespace mikura::engine::access {
namespace {

constexpr UnixMillis kSameWithin = 60'000;
constexpr size_t kLookedAt = 10;

}  // namespace

void AccessLog::Add(AccessLogEntry entry) {
  MutexLock lock(mutex_);
  entry.updated_at = entry.created_at;
  const size_t looked_at = std::min(kLookedAt, entries_.size());
  for (size_t i = 0; i < looked_at; ++i) {
    AccessLogEntry& old = entries_[i];
    if (old.reason != entry.reason || old.context != entry.context || old.object != entry.object ||
        old.user != entry.user || entry.created_at - old.updated_at > kSameWithin) {
      continue;
    }
    AccessLogEntry again = std::move(old);
    entries_.erase(entries_.begin() + static_cast<ptrdiff_t>(i));
    ++again.count;
    again.client = std::move(entry.client);
    again.updated_at = entry.created_at;
    entries_.push_front(std::move(again));
    return;
  }
  entry.id = next_id_++;
  entries_.push_front(std::move(entry));
  while (entries_.size() > size_max_) entries_.pop_back();
}

std::vector<AccessLogEntry> AccessLog::Newest(size_t count) const {
  MutexLock lock(mutex_);
  const size_t wanted = std::min(count, entries_.size());
  return {entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(wanted)};
}

void AccessLog::Clear() {
  MutexLock lock(mutex_);
  entries_.clear();
}

void AccessLog::set_size_max(size_t size) {
  MutexLock lock(mutex_);
  size_max_ = size;
  while (entries_.size() > size_max_) entries_.pop_back();
}

}  // namespace mikura::engine::access
