// SPDX-License-Identifier: Apache-2.0
#include "engine/observation/slow_log.h"

#include <fmt/format.h>

#include <algorithm>

namespace mikura::engine {
namespace {

constexpr size_t kWordsMax = 32;
constexpr size_t kWordBytesMax = 128;

std::string Shortened(std::string_view word) {
  if (word.size() <= kWordBytesMax) return std::string(word);
  return fmt::format("{}... ({} more bytes)", word.substr(0, kWordBytesMax),
                     word.size() - kWordBytesMax);
}

}  // namespace

void SlowLog::Add(std::span<const std::string_view> words, SlowLogEntry entry) {
  const bool is_long = words.size() > kWordsMax;
  const size_t kept = is_long ? kWordsMax - 1 : words.size();
  for (const std::string_view word : words.first(kept)) entry.words.push_back(Shortened(word));
  if (is_long) {
    entry.words.push_back(fmt::format("... ({} more arguments)", words.size() - kept));
  }
  MutexLock lock(mutex_);
  entry.id = next_id_++;
  entries_.push_front(std::move(entry));
  while (entries_.size() > size_max_) entries_.pop_back();
}

std::vector<SlowLogEntry> SlowLog::Newest(size_t count) const {
  MutexLock lock(mutex_);
  const size_t wanted = std::min(count, entries_.size());
  return {entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(wanted)};
}

size_t SlowLog::size() const {
  MutexLock lock(mutex_);
  return entries_.size();
}

void SlowLog::Clear() {
  MutexLock lock(mutex_);
  entries_.clear();
}

void SlowLog::set_size_max(size_t size) {
  MutexLock lock(mutex_);
  size_max_ = size;
  while (entries_.size() > size_max_) entries_.pop_back();
}

}  // namespace mikura::engine
