// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/value_encoding.h"

#include "base/numbers.h"
#include "engine/collections/hash_value.h"
#include "engine/collections/set_value.h"
#include "engine/collections/sorted_set_value.h"
#include "engine/keyspace/collection_access.h"

namespace mikura::engine {
namespace {

// Ours depends on the bytes alone, not on how they came to be.
std::string_view StringEncoding(std::string_view value) {
  constexpr size_t kEmbeddedMax = 44;
  if (value.size() <= 20 && ParseInt64(value)) return "int";
  return value.size() <= kEmbeddedMax ? "embstr" : "raw";
}

std::string_view HashEncoding(const collections::HashValue& hash) {
  if (hash.is_hashtable()) return "hashtable";
  // Redis has a form of its own for small hashes with deadlines of fields, since 7.4.
  return hash.first_deadline() == collections::kNoFieldDeadline ? "listpack" : "listpackex";
}

std::string_view SetEncoding(const collections::SetValue& set) {
  return set.is_intset() ? "intset" : "hashtable";
}

std::string_view SortedSetEncoding(const collections::SortedSetValue& set) {
  return set.is_skiplist() ? "skiplist" : "listpack";
}

}  // namespace

std::string_view EncodingName(const store::Entry& entry, collections::NodeMemory& memory) {
  switch (entry.type()) {
    case store::ValueType::kString:
      return StringEncoding(entry.value());
    case store::ValueType::kHash:
      return HashEncoding(*CollectionView<collections::HashValue>(memory, entry));
    case store::ValueType::kSet:
      return SetEncoding(*CollectionView<collections::SetValue>(memory, entry));
    case store::ValueType::kSortedSet:
      return SortedSetEncoding(*CollectionView<collections::SortedSetValue>(memory, entry));
    case store::ValueType::kList:
      return "quicklist";
    case store::ValueType::kStream:
      return "stream";
  }
  return "unknown";
}

}  // namespace mikura::engine
