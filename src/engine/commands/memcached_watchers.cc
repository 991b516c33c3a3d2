// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/memcached_watchers.h"

#include <fmt/format.h>
#include <sys/time.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace mikura::engine {
namespace {

struct WatchName {
  std::string_view name;
  uint8_t kinds;
};
// The kinds without bits exist in memcached, and nothing of them happens here.
constexpr WatchName kWatchNames[] = {
    {"fetchers", kWatchFetchers},
    {"mutations", kWatchMutations},
    {"evictions", kWatchEvictions},
    {"connevents", kWatchConnections},
    {"rawcmds", 0},
    {"sysevents", 0},
    {"proxyreqs", 0},
    {"proxyevents", 0},
    {"proxyuser", 0},
};

}  // namespace

std::optional<uint8_t> ReadMemcachedWatch(std::string_view words) {
  if (words.empty()) return kWatchFetchers;
  uint8_t kinds = 0;
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(words.size(), word.size() + 1));
    if (word.empty()) continue;
    const auto* found = std::find_if(std::begin(kWatchNames), std::end(kWatchNames),
                                     [&](const WatchName& row) { return row.name == word; });
    if (found == std::end(kWatchNames)) return std::nullopt;
    kinds |= found->kinds;
  }
  return kinds;
}

std::string EncodeMemcachedKey(std::string_view key) {
  std::string text;
  for (const char byte : key) {
    const auto letter = static_cast<unsigned char>(byte);
    const bool is_plain = (letter < 0x80 && std::isalnum(letter) != 0) ||
                          std::string_view("-._~").find(byte) != std::string_view::npos;
    if (is_plain) {
      text += byte;
    } else {
      text += fmt::format("%{:02X}", letter);
    }
  }
  return text;
}

class MemcachedWatchers::Watcher final : public OutputSource {
 public:
  Watcher(MemcachedWatchers& all, uint8_t kinds, std::function<void()> wake)
      : all_(all), kinds_(kinds), wake_(std::move(wake)) {}
  ~Watcher() override { all_.Remove(this); }

  bool Produce(size_t, std::string& out) override {
    MutexLock lock(all_.mutex_);
    out += buffer_;
    buffer_.clear();
    // At once: a line that would carry it may never come.
    out += TakeSkipped();
    return true;
  }
  bool holds_requests() const override { return false; }

  // The lock of the owner is held. False: the line was dropped. `wakes` gets what is to be called
  // when the lock is free.
  bool Take(std::string_view line, Wakes& wakes) {
    constexpr size_t kSkippedMax = 32;  // bytes of the line that tells of it
    if (buffer_.size() + line.size() + kSkippedMax > all_.buffer_bytes_) {
      ++skipped_;
      return false;
    }
    const bool was_empty = buffer_.empty();
    buffer_.append(TakeSkipped()).append(line);
    if (was_empty) wakes.push_back(wake_);
    return true;
  }
  uint8_t kinds() const { return kinds_; }

 private:
  // "skipped=N" when lines were dropped since the last one that was kept.
  std::string TakeSkipped() {
    const uint64_t skipped = std::exchange(skipped_, 0);
    return skipped > 0 ? fmt::format("skipped={}\n", skipped) : std::string();
  }

  MemcachedWatchers& all_;
  const uint8_t kinds_;
  const std::function<void()> wake_;
  std::string buffer_;    // guarded by the lock of the owner
  uint64_t skipped_ = 0;  // lines dropped since the last one that was kept; guarded likewise
};

std::unique_ptr<OutputSource> MemcachedWatchers::Add(uint8_t kinds, std::function<void()> wake) {
  MutexLock lock(mutex_);
  if (watchers_.size() >= kWatchersMax) return nullptr;
  auto watcher = std::make_unique<Watcher>(*this, kinds, std::move(wake));
  watchers_.push_back(watcher.get());
  PublishKinds();
  return watcher;
}

void MemcachedWatchers::Remove(const Watcher* watcher) {
  MutexLock lock(mutex_);
  std::erase(watchers_, watcher);
  PublishKinds();
}

void MemcachedWatchers::PublishKinds() {
  uint8_t kinds = 0;
  for (const Watcher* watcher : watchers_) kinds |= watcher->kinds();
  kinds_.store(kinds, std::memory_order_relaxed);
}

void MemcachedWatchers::Append(MemcachedWatch kind, std::string_view text, Wakes& wakes) {
  timeval time{};
  gettimeofday(&time, nullptr);
  const std::string line =
      fmt::format("ts={}.{} gid={} {}\n", time.tv_sec, time.tv_usec, ++last_line_, text);
  for (Watcher* watcher : watchers_) {
    if ((watcher->kinds() & kind) == 0) continue;
    ++(watcher->Take(line, wakes) ? totals_.lines_sent : totals_.lines_skipped);
  }
}

void MemcachedWatchers::Emit(MemcachedWatch kind, std::string_view text) {
  Wakes wakes;
  {
    MutexLock lock(mutex_);
    Append(kind, text, wakes);
  }
  for (const auto& wake : wakes) wake();
}

void MemcachedWatchers::Add(MemcachedWatch kind, std::string_view text) {
  MutexLock lock(mutex_);
  Append(kind, text, waiting_);
  if (!waiting_.empty()) has_waiting_.store(true, std::memory_order_relaxed);
}

void MemcachedWatchers::WakeWaiting() {
  if (!has_waiting_.load(std::memory_order_relaxed)) return;
  Wakes wakes;
  {
    MutexLock lock(mutex_);
    has_waiting_.store(false, std::memory_order_relaxed);
    wakes.swap(waiting_);
  }
  for (const auto& wake : wakes) wake();
}

void MemcachedWatchers::ResetTotals() {
  MutexLock lock(mutex_);
  totals_ = {};
}

MemcachedWatchers::Totals MemcachedWatchers::totals() const {
  MutexLock lock(mutex_);
  Totals totals = totals_;
  totals.watchers = watchers_.size();
  return totals;
}

}  // namespace mikura::engine
