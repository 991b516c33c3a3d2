// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/dataset_digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "engine/collections/hash_value.h"
#include "engine/collections/list_value.h"
#include "engine/collections/set_value.h"
#include "engine/collections/sorted_set_value.h"
#include "engine/collections/stream_value.h"
#include "engine/persistence/rdb_value_writer.h"
#include "engine/scripting/script.h"

namespace mikura::engine {
namespace {

using namespace collections;

uint8_t HexDigit(char digit) {
  return static_cast<uint8_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

std::string BigEndian(uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
  return out;
}

// Redis' number of the type.
uint32_t TypeNumber(store::ValueType type) {
  switch (type) {
    case store::ValueType::kString:
      return 0;
    case store::ValueType::kList:
      return 1;
    case store::ValueType::kSet:
      return 2;
    case store::ValueType::kSortedSet:
      return 3;
    case store::ValueType::kHash:
      return 4;
    case store::ValueType::kStream:
      break;
  }
  return 6;
}

void TogglePair(Digest& digest, std::string_view first, std::string_view second) {
  Digest pair;
  pair.Mix(first);
  pair.Mix(second);
  digest.Toggle(pair);
}

void AddStream(Digest& digest, const StreamValue& stream) {
  if (stream.size() == 0) return;
  stream.VisitRange(0, stream.size(), false, [&](const StreamEntry& entry) {
    digest.Mix(fmt::format("{}.{}", entry.id().ms, entry.id().seq));
    entry.VisitFields([&](std::string_view name, std::string_view value) {
      digest.Mix(name);
      digest.Mix(value);
    });
    return true;
  });
}

void AddCollection(Digest& digest, const Collection& value) {
  switch (value.type()) {
    case CollectionType::kList:
      for (ListValue::Cursor c(static_cast<const ListValue&>(value)); !c.at_end(); c.Next()) {
        digest.Mix(c.element());
      }
      return;
    case CollectionType::kSet:
      for (SetValue::Cursor c(static_cast<const SetValue&>(value)); !c.at_end(); c.Next()) {
        digest.Toggle(c.element());
      }
      return;
    case CollectionType::kSortedSet:
      for (SortedSetValue::Cursor c(static_cast<const SortedSetValue&>(value)); !c.at_end();
           c.Next()) {
        TogglePair(digest, c.element().member, fmt::format("{:.17g}", c.element().score));
      }
      return;
    case CollectionType::kHash:
      for (HashValue::Cursor c(static_cast<const HashValue&>(value)); !c.at_end(); c.Next()) {
        TogglePair(digest, c.field().name, c.field().value);
      }
      return;
    case CollectionType::kStream:
      return AddStream(digest, static_cast<const StreamValue&>(value));
  }
}

class Names final : public store::EntryConsumer {
 public:
  void Consume(int, const store::Entry& entry) override { all.emplace(entry.key()); }
  std::set<std::string> all;  // a scan may show a key twice
};

void AddDatabase(Digest& digest, Keyspace& keyspace, int database, const store::Access& access) {
  constexpr size_t kScanKeys = 1000;
  for (uint32_t i = 0; i < kShardCount; ++i) {
    ShardGuard guard(keyspace.lock(i));
    store::Shard& shard = keyspace.LockedShard(i);
    Names names;
    std::optional<uint64_t> cursor = 0;
    while (cursor) cursor = shard.Scan(database, *cursor, kScanKeys, access, names);
    for (const std::string& name : names.all) {
      const store::Found found = shard.Peek(database, keyspace.hasher()(name), access);
      if (!found) continue;
      Digest one;
      one.Mix(name);
      AddToDigest(one, keyspace.allocator().collections(), found.entry);
      digest.Toggle(one);
    }
  }
}

}  // namespace

void Digest::Toggle(const Digest& other) {
  Toggle(std::string_view(reinterpret_cast<const char*>(other.bytes_.data()), other.bytes_.size()));
}

void Digest::Toggle(std::string_view bytes) {
  const std::string sha1 = scripting::Sha1Hex(bytes);
  for (size_t i = 0; i < bytes_.size(); ++i) {
    bytes_[i] ^= static_cast<uint8_t>(HexDigit(sha1[2 * i]) << 4 | HexDigit(sha1[2 * i + 1]));
  }
}

void Digest::Mix(std::string_view bytes) {
  Toggle(bytes);
  const std::string before(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
  bytes_ = {};
  Toggle(before);
}

std::string Digest::hex() const {
  std::string out;
  for (const uint8_t byte : bytes_) out += fmt::format("{:02x}", byte);
  return out;
}

void AddToDigest(Digest& digest, store::CollectionMemory& memory, const store::Entry& entry) {
  digest.Mix(BigEndian(TypeNumber(entry.type())));
  if (entry.type() == store::ValueType::kString) {
    digest.Mix(entry.value());
  } else if (const Collection* large = entry.collection()) {
    AddCollection(digest, *large);
  } else {
    AddCollection(digest, *OpenPacked(memory, entry.type(), entry.value()));
  }
  if (entry.deadline() != store::kNoDeadline) digest.Toggle("!!expire!!");
}

Digest DigestOfAll(Keyspace& keyspace, UnixMillis now) {
  Digest digest;
  for (int database = 0; database < keyspace.database_count(); ++database) {
    if (keyspace.KeyCount(database) == 0) continue;
    digest.Mix(BigEndian(static_cast<uint32_t>(database)));
    AddDatabase(digest, keyspace, database, {now, false});
  }
  return digest;
}

}  // namespace mikura::engine
