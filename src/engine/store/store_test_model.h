// SPDX-License-Identifier: Apache-2.0
// A shard and a plain map that do the same random changes. The map holds what is physically there:
// an expired key stays in it until the shard says that it removed the key.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/store/store_test_helpers.h"

namespace mikura::engine::store {

class ModelledShard {
 public:
  static constexpr int kDatabases = 3;
  struct Value {
    std::string bytes;
    UnixMillis deadline = kNoDeadline;
  };
  using Database = std::unordered_map<std::string, Value>;

  ModelledShard(uint64_t seed, int key_space)
      : random_(seed), key_space_(key_space), keys_(uint64_t{1} << 34, kDatabases) {}

  // One random change. growth: percent of changes that rather add than remove.
  void Change(int growth) {
    const int database = Pick(8) == 0 ? 1 + Pick(kDatabases - 1) : 0;
    const std::string name = RandomKey();
    const int what = Pick(100);
    if (what < 55) {
      Pick(100) < growth ? Set(database, name) : Erase(database, name);
    } else if (what < 68) {
      ChangeDeadline(database, name);
    } else if (what < 80) {
      Resize(database, name);
    } else if (what < 85) {
      Copy(database, name);
    } else if (what < 92) {
      Read(database, name);
    } else if (what < 96) {
      keys_.clock().Advance(std::chrono::milliseconds(Pick(300)));
      if (Pick(2) == 0) ExpireSome();
    } else {
      keys_.shard().ResizeStep(Pick(3));
    }
    TakeExpired();
    if (defragment_random_() % 50 == 0) Defragment();
  }

  // Some part of a pass that moves what lies in sparse spans.
  void Defragment() {
    SlabAllocator& slabs = keys_.allocator();
    if (progress_.done) {
      slabs.FlushThreadCache();
      marked_ += slabs.BeginEvacuation(20, 0, Evacuate::kAnySpan);
      progress_ = {.done = false};
    }
    const size_t chains = 1 + defragment_random_() % 300;
    progress_.done = keys_.shard().DefragmentStep(progress_, chains);
    if (progress_.done) slabs.EndEvacuation();
    if (chains % 4 == 0) slabs.Purge(chains % 16 * kSpanBytes);
  }
  // Spans that were marked to be emptied so far.
  size_t marked() const { return marked_; }

  void Detach(int database) {
    std::shared_ptr<Table> detached = keys_.shard().DetachDatabase(database);
    EXPECT_EQ(detached == nullptr, databases_[database].empty());
    databases_[database].clear();
    if (detached != nullptr && Pick(2) == 0) kept_ = std::move(detached);
  }
  void Swap(int a, int b) {
    keys_.shard().SwapDatabases(a, b);
    std::swap(databases_[a], databases_[b]);
  }

  // Removes what is due; afterwards nothing is late by more than a slot of the wheel.
  void ExpireAll() {
    while (keys_.shard().ExpireStep(now(), 1 + Pick(100)) > 0) {
    }
    TakeExpired();
    for (const Database& database : databases_) {
      for (const auto& [name, value] : database) ASSERT_GT(value.deadline, now() - 32) << name;
    }
  }

  // Everything that is physically there, as CollectingConsumer names it.
  std::map<std::string, std::string> Contents() const {
    std::map<std::string, std::string> contents;
    for (int database = 0; database < kDatabases; ++database) {
      for (const auto& [name, value] : databases_[database]) {
        contents[std::to_string(database) + ":" + name] = value.bytes;
      }
    }
    return contents;
  }

  void Compare() {
    for (int database = 0; database < kDatabases; ++database) {
      ASSERT_EQ(keys_.shard().key_count(database), databases_[database].size());
      uint64_t with_deadline = 0;
      for (const auto& [name, value] : databases_[database]) {
        with_deadline += value.deadline == kNoDeadline ? 0 : 1;
        const Found found = keys_.shard().Peek(database, keys_.key(name), {0, false});
        ASSERT_TRUE(found) << name;
        ASSERT_EQ(found.entry.value(), value.bytes) << name;
        ASSERT_EQ(found.entry.deadline(), value.deadline) << name;
      }
      ASSERT_EQ(keys_.shard().volatile_key_count(database), with_deadline);
    }
    keys_.shard().CheckInvariants();
  }

  // Follows what was evicted.
  void TakeEvicted() {
    for (const std::string& event : keys_.evicted()) {
      ASSERT_EQ(databases_[event[0] - '0'].erase(event.substr(2)), 1u) << event;
      removed_.insert(event);
    }
    keys_.evicted().clear();
  }

  int Pick(int bound) { return static_cast<int>(random_() % static_cast<uint64_t>(bound)); }
  std::string RandomKey() {
    const int number = Pick(key_space_);
    // A few keys so long that their length takes two bytes.
    return number % 50 == 0 ? std::string(200, 'x') + std::to_string(number)
                            : "k" + std::to_string(number);
  }
  TestShard& keys() { return keys_; }
  UnixMillis now() const { return keys_.clock().NowMillis(); }
  const Database& database(int number) const { return databases_[number]; }
  // "database:key" of every key that was erased or has expired.
  std::set<std::string>& removed() { return removed_; }
  void DropKept() { kept_.reset(); }

 private:
  std::string RandomValue() {
    const int kind = Pick(40);
    const int length = kind == 0 ? 3000 + Pick(4000) : kind < 4 ? Pick(400) : Pick(40);
    return std::string(length, static_cast<char>('a' + Pick(26)));
  }
  // Mostly soon, sometimes far away or in the past.
  UnixMillis RandomDeadline() {
    switch (Pick(4)) {
      case 0:
        return kNoDeadline;
      case 1:
        return now() + Pick(2000);
      case 2:
        return now() + Pick(1'000'000'000);
      default:
        return now() - 20 + Pick(200);
    }
  }

  void Set(int database, const std::string& name) {
    Attributes attributes;
    if (Pick(3) == 0) attributes.deadline = RandomDeadline();
    const std::string bytes = RandomValue();
    ASSERT_TRUE(
        keys_.shard().SetString(database, keys_.key(name), bytes, attributes, keys_.access()).ok());
    TakeExpired();  // an expired key of that name went first
    databases_[database][name] = {bytes, attributes.deadline};
  }

  void Erase(int database, const std::string& name) {
    const bool was_live = IsLive(database, name);
    ASSERT_EQ(keys_.Erase(name, database), was_live);
    if (!was_live) return;
    databases_[database].erase(name);
    removed_.insert(std::to_string(database) + ":" + name);
  }

  void ChangeDeadline(int database, const std::string& name) {
    Found found = keys_.Find(name, database);
    ASSERT_EQ(static_cast<bool>(found), IsLive(database, name));
    if (!found) return;
    const UnixMillis deadline = RandomDeadline();
    ASSERT_TRUE(keys_.shard().SetDeadline(found, keys_.key(name), deadline).ok());
    ASSERT_EQ(found.entry.key(), name);
    databases_[database][name].deadline = deadline;
  }

  void Resize(int database, const std::string& name) {
    Found found = keys_.Find(name, database);
    if (!found) return;
    std::string& bytes = databases_[database][name].bytes;
    const size_t before = bytes.size();
    const size_t size = Pick(4) == 0 ? Pick(6000) : before + Pick(20);
    auto written = keys_.shard().ResizeString(found, keys_.key(name), size);
    ASSERT_TRUE(written.ok());
    bytes.resize(size, '\0');
    if (size > before) {
      (*written)[size - 1] = '!';
      bytes[size - 1] = '!';
    }
    ASSERT_EQ(found.entry.value(), bytes);
  }

  void Copy(int database, const std::string& name) {
    const Found found = keys_.Find(name, database);
    const std::string target = RandomKey();
    if (!found || target == name) return;
    const int target_database = Pick(kDatabases);
    const UnixMillis deadline = found.entry.deadline();
    ASSERT_TRUE(
        keys_.shard()
            .CopyFrom(found.entry, target_database, keys_.key(target), deadline, keys_.access())
            .ok());
    TakeExpired();
    databases_[target_database][target] = databases_[database][name];
  }

  void Read(int database, const std::string& name) {
    const auto value = keys_.Get(name, database);
    ASSERT_EQ(value.has_value(), IsLive(database, name));
    if (value.has_value()) {
      ASSERT_EQ(*value, databases_[database][name].bytes);
    }
  }

  void ExpireSome() { keys_.shard().ExpireStep(now(), 1 + Pick(20)); }

  bool IsLive(int database, const std::string& name) const {
    const auto it = databases_[database].find(name);
    return it != databases_[database].end() && it->second.deadline > now();
  }

  void TakeExpired() {
    for (const std::string& event : keys_.expired()) {
      const int database = event[0] - '0';
      const auto it = databases_[database].find(event.substr(2));
      ASSERT_TRUE(it != databases_[database].end()) << event;
      ASSERT_LE(it->second.deadline, now()) << event;
      databases_[database].erase(it);
      removed_.insert(event);
    }
    keys_.expired().clear();
  }

  mutable std::mt19937_64 random_;
  const int key_space_;
  mutable TestShard keys_;
  std::array<Database, kDatabases> databases_;
  std::set<std::string> removed_;
  std::shared_ptr<Table> kept_;
  DefragmentationProgress progress_;
  size_t marked_ = 0;
  std::mt19937_64 defragment_random_{1};  // of its own: the changes are the same without it
};

}  // namespace mikura::engine::store
