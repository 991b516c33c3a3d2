// SPDX-License-Identifier: Apache-2.0
// All shards without locks, filled with keys of one form: what the benchmarks of this folder run
// on.
#pragma once

#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/store/shard.h"

namespace mikura::engine::store {

class BenchKeyspace final : public RemovalListener {
 public:
  static constexpr size_t kKeyBytes = 16;

  BenchKeyspace() {
    auto made = SlabAllocator::Create();
    CHECK(made.ok());
    allocator_ = std::move(*made);
    for (uint32_t i = 0; i < kShardCount; ++i) {
      shards_.push_back(std::make_unique<Shard>(*allocator_, hasher_, 16, *this));
    }
  }

  // Key number `number`, 16 bytes, written to `out`.
  static std::string_view Name(uint64_t number, char* out) {
    fmt::format_to_n(out, kKeyBytes, "key:{:012}", number);
    return {out, kKeyBytes};
  }

  void Set(uint64_t number, std::string_view value, UnixMillis deadline, UnixMillis now) {
    char name[kKeyBytes];
    const Key key = hasher_(Name(number, name));
    Attributes attributes;
    attributes.deadline = deadline;
    CHECK(shard(key).SetString(0, key, value, attributes, {now, true}).ok());
  }

  void OnEvicted(int, const Key&, const Entry&) override {}
  void OnExpired(int, const Key&, const Entry&, bool) override {}
  size_t OnElementsDue(int, const Key&, UnixMillis, size_t) override { return 0; }
  Shard& shard(const Key& key) { return *shards_[key.shard()]; }
  const std::vector<std::unique_ptr<Shard>>& shards() const { return shards_; }
  const KeyHasher& hasher() const { return hasher_; }
  SlabAllocator& allocator() { return *allocator_; }

 private:
  KeyHasher hasher_{12345};
  std::unique_ptr<SlabAllocator> allocator_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace mikura::engine::store
