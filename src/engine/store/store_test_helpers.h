// SPDX-License-Identifier: Apache-2.0
// A shard with short words for what tests do with it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "engine/store/shard.h"

namespace mikura::engine::store {

class CollectingListener final : public RemovalListener {
 public:
  void OnExpired(int database, const Key& key, const Entry&, bool) override {
    expired.push_back(std::to_string(database) + ":" + std::string(key.name));
  }
  void OnEvicted(int database, const Key& key, const Entry&) override {
    evicted.push_back(std::to_string(database) + ":" + std::string(key.name));
  }
  size_t OnElementsDue(int, const Key& key, UnixMillis now, size_t limit) override {
    return on_elements_due ? on_elements_due(key, now, limit) : 0;
  }
  std::vector<std::string> expired;
  std::vector<std::string> evicted;
  std::function<size_t(const Key& key, UnixMillis now, size_t limit)> on_elements_due;
};

// What a walk or scan saw: "database:key" -> value; counts what it saw twice.
class CollectingConsumer final : public EntryConsumer {
 public:
  void Consume(int database, const Entry& entry) override {
    const std::string name = std::to_string(database) + ":" + std::string(entry.key());
    if (!seen.emplace(name, std::string(entry.value())).second) ++repeated;
  }
  std::map<std::string, std::string> seen;
  int repeated = 0;
};

class TestShard {
 public:
  explicit TestShard(uint64_t region_bytes = uint64_t{1} << 34, int databases = 4)
      : allocator_(MakeAllocator(region_bytes)),
        shard_(std::make_unique<Shard>(*allocator_, hasher_, databases, listener_)) {}

  bool Set(std::string_view key, std::string_view value,
           std::chrono::milliseconds expires_in = std::chrono::milliseconds::max(),
           int database = 0) {
    Attributes attributes;
    if (expires_in != std::chrono::milliseconds::max()) {
      attributes.deadline = clock_.NowMillis() + expires_in.count();
    }
    return shard_->SetString(database, hasher_(key), value, attributes, access()).ok();
  }
  std::optional<std::string> Get(std::string_view key, int database = 0) {
    const Found found = shard_->Find(database, hasher_(key), access());
    if (!found) return std::nullopt;
    return std::string(found.entry.value());
  }
  Found Find(std::string_view key, int database = 0) {
    return shard_->Find(database, hasher_(key), access());
  }
  bool Erase(std::string_view key, int database = 0) {
    return shard_->Erase(database, hasher_(key), access());
  }
  bool Append(std::string_view key, std::string_view tail, int database = 0) {
    Found found = Find(key, database);
    const size_t before = found.entry.value().size();
    auto bytes = shard_->ResizeString(found, hasher_(key), before + tail.size());
    if (!bytes.ok()) return false;
    std::memcpy(*bytes + before, tail.data(), tail.size());
    return true;
  }

  Access access() const { return {clock_.NowMillis(), may_expire, counts_use, tracking}; }
  Key key(std::string_view name) const { return hasher_(name); }
  Shard& shard() { return *shard_; }
  SlabAllocator& allocator() { return *allocator_; }
  ManualClock& clock() { return clock_; }
  std::vector<std::string>& expired() { return listener_.expired; }

  std::vector<std::string>& evicted() { return listener_.evicted; }
  CollectingListener& listener() { return listener_; }

  bool may_expire = true;
  bool counts_use = true;
  AccessTracking tracking;

 private:
  static std::unique_ptr<SlabAllocator> MakeAllocator(uint64_t region_bytes) {
    auto made = SlabAllocator::Create(region_bytes);
    CHECK(made.ok());
    return std::move(*made);
  }

  KeyHasher hasher_{42};
  CollectingListener listener_;
  ManualClock clock_;
  std::unique_ptr<SlabAllocator> allocator_;
  std::unique_ptr<Shard> shard_;
};

}  // namespace mikura::engine::store
