// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/restored_form.h"

#include "engine/collections/hash_value.h"
#include "engine/collections/set_value.h"
#include "engine/collections/sorted_set_value.h"
#include "engine/persistence/rdb_format.h"

namespace mikura::engine {
namespace {

using collections::CollectionType;
using collections::HashValue;
using collections::SetValue;
using collections::SortedSetValue;

uint64_t Load(const std::atomic<int64_t>& limit) {
  return static_cast<uint64_t>(limit.load(std::memory_order_relaxed));
}

// Whether the writer had it in a compact form, whose elements may be of any size.
bool WasCompact(uint8_t rdb_type) {
  return rdb_type == kRdbTypeHashZiplist || rdb_type == kRdbTypeHashListpack ||
         rdb_type == kRdbTypeHashListpackDeadlines || rdb_type == kRdbTypeSortedSetZiplist ||
         rdb_type == kRdbTypeSortedSetListpack;
}

bool IsHashtable(const HashValue& hash, bool was_compact, const EncodingLimits& limits) {
  if (hash.size() > Load(limits.hash_entries)) return true;
  if (was_compact) return false;
  const uint64_t bytes_max = Load(limits.hash_value_bytes);
  for (HashValue::Cursor at(hash); !at.at_end(); at.Next()) {
    const HashValue::Field field = at.field();
    if (field.name.size() > bytes_max || field.value.size() > bytes_max) return true;
  }
  return false;
}

bool IsSkiplist(const SortedSetValue& set, bool was_compact, const EncodingLimits& limits) {
  if (set.size() > Load(limits.zset_entries)) return true;
  if (was_compact) return false;
  const uint64_t bytes_max = Load(limits.zset_value_bytes);
  for (SortedSetValue::Cursor at(set); !at.at_end(); at.Next()) {
    if (at.element().member.size() > bytes_max) return true;
  }
  return false;
}

}  // namespace

void ApplyRestoredForm(collections::Collection& value, uint8_t rdb_type,
                       const EncodingLimits& limits) {
  const bool was_compact = WasCompact(rdb_type);
  switch (value.type()) {
    case CollectionType::kHash: {
      auto& hash = static_cast<HashValue&>(value);
      if (IsHashtable(hash, was_compact, limits)) hash.set_is_hashtable();
      return;
    }
    case CollectionType::kSortedSet: {
      auto& set = static_cast<SortedSetValue&>(value);
      if (IsSkiplist(set, was_compact, limits)) set.set_is_skiplist();
      return;
    }
    case CollectionType::kSet: {
      auto& set = static_cast<SetValue&>(value);
      if (set.is_intset() && set.size() > Load(limits.set_integers)) set.BecomeHashtable();
      return;
    }
    case CollectionType::kList:
    case CollectionType::kStream:
      return;
  }
}

}  // namespace mikura::engine
