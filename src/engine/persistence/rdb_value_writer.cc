// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/rdb_value_writer.h"

#include <bit>
#include <memory>

#include "base/check.h"
#include "engine/collections/hash_value.h"
#include "engine/collections/list_value.h"
#include "engine/collections/set_value.h"
#include "engine/collections/sorted_set_value.h"
#include "engine/collections/stream_value.h"
#include "engine/persistence/rdb_format.h"
#include "engine/persistence/rdb_output.h"
#include "engine/persistence/rdb_stream_writer.h"

namespace mikura::engine {
namespace {

using collections::Collection;
using collections::CollectionType;
using collections::HashValue;
using collections::ListValue;
using collections::SetValue;
using collections::SortedSetValue;
using collections::StreamValue;

constexpr size_t kFlushBytes = 64 * 1024;

bool HasDeadlines(const HashValue& hash) {
  return hash.first_deadline() != collections::kNoFieldDeadline;
}

Status AppendList(std::string& out, const ListValue& list, const RdbFlush& flush,
                  RdbPlainTexts* texts) {
  AppendRdbLength(out, list.size());
  for (ListValue::Cursor c(list); !c.at_end(); c.Next()) {
    AppendRdbText(out, c.element(), texts);
    RETURN_IF_ERROR(FlushWhenLarge(out, flush));
  }
  return Ok();
}

Status AppendSet(std::string& out, const SetValue& set, const RdbFlush& flush,
                 RdbPlainTexts* texts) {
  AppendRdbLength(out, set.size());
  for (SetValue::Cursor c(set); !c.at_end(); c.Next()) {
    AppendRdbText(out, c.element(), texts);
    RETURN_IF_ERROR(FlushWhenLarge(out, flush));
  }
  return Ok();
}

Status AppendSortedSet(std::string& out, const SortedSetValue& set, const RdbFlush& flush,
                       RdbPlainTexts* texts) {
  AppendRdbLength(out, set.size());
  for (SortedSetValue::Cursor c(set); !c.at_end(); c.Next()) {
    const SortedSetValue::Element element = c.element();
    AppendRdbText(out, element.member, texts);
    AppendRdbFixed(out, std::bit_cast<uint64_t>(element.score));
    RETURN_IF_ERROR(FlushWhenLarge(out, flush));
  }
  return Ok();
}

Status AppendHash(std::string& out, const HashValue& hash, const RdbFlush& flush,
                  RdbPlainTexts* texts) {
  const bool has_deadlines = HasDeadlines(hash);
  const UnixMillis first = hash.first_deadline();
  if (has_deadlines) AppendRdbFixed(out, first);
  AppendRdbLength(out, hash.size());
  for (HashValue::Cursor c(hash); !c.at_end(); c.Next()) {
    const HashValue::Field field = c.field();
    if (has_deadlines) {
      const bool has_own = field.deadline != collections::kNoFieldDeadline;
      AppendRdbLength(out, has_own ? static_cast<uint64_t>(field.deadline - first) + 1 : 0);
    }
    AppendRdbText(out, field.name, texts);
    AppendRdbText(out, field.value, texts);
    RETURN_IF_ERROR(FlushWhenLarge(out, flush));
  }
  return Ok();
}

}  // namespace

uint8_t RdbTypeOf(const Collection& value) {
  switch (value.type()) {
    case CollectionType::kList:
      return kRdbTypeList;
    case CollectionType::kSet:
      return kRdbTypeSet;
    case CollectionType::kSortedSet:
      return kRdbTypeSortedSet2;
    case CollectionType::kHash:
      return HasDeadlines(static_cast<const HashValue&>(value)) ? kRdbTypeHashDeadlines
                                                                : kRdbTypeHash;
    case CollectionType::kStream:
      break;
  }
  return kRdbTypeStream2;
}

Status AppendRdbCollection(std::string& out, const Collection& value, const RdbFlush& flush,
                           RdbPlainTexts* texts) {
  switch (value.type()) {
    case CollectionType::kList:
      return AppendList(out, static_cast<const ListValue&>(value), flush, texts);
    case CollectionType::kSet:
      return AppendSet(out, static_cast<const SetValue&>(value), flush, texts);
    case CollectionType::kSortedSet:
      return AppendSortedSet(out, static_cast<const SortedSetValue&>(value), flush, texts);
    case CollectionType::kHash:
      return AppendHash(out, static_cast<const HashValue&>(value), flush, texts);
    case CollectionType::kStream:
      break;
  }
  return AppendRdbStream(out, static_cast<const StreamValue&>(value), flush, texts);
}

namespace {

template <typename T>
bool AppendPackedOf(const Collection& value, std::string& out) {
  const auto& typed = static_cast<const T&>(value);
  if (typed.is_packed()) typed.AppendPacked(out);
  return typed.is_packed();
}

}  // namespace

Status FlushWhenLarge(std::string& out, const RdbFlush& flush) {
  return out.size() < kFlushBytes ? Status() : flush(out);
}

bool AppendIfPacked(const Collection& value, std::string& out) {
  switch (value.type()) {
    case CollectionType::kList:
      return AppendPackedOf<ListValue>(value, out);
    case CollectionType::kSet:
      return AppendPackedOf<SetValue>(value, out);
    case CollectionType::kSortedSet:
      return AppendPackedOf<SortedSetValue>(value, out);
    case CollectionType::kHash:
      return AppendPackedOf<HashValue>(value, out);
    case CollectionType::kStream:
      break;
  }
  return AppendPackedOf<StreamValue>(value, out);
}

std::unique_ptr<Collection> OpenPacked(collections::NodeMemory& memory, store::ValueType type,
                                       std::string_view packed) {
  switch (type) {
    case store::ValueType::kList:
      return std::make_unique<ListValue>(memory, packed);
    case store::ValueType::kSet:
      return std::make_unique<SetValue>(memory, packed);
    case store::ValueType::kSortedSet:
      return std::make_unique<SortedSetValue>(memory, packed);
    case store::ValueType::kHash:
      return std::make_unique<HashValue>(memory, packed);
    case store::ValueType::kStream:
      return std::make_unique<StreamValue>(memory, packed);
    case store::ValueType::kString:
      break;
  }
  CHECK(false);
  return nullptr;
}

}  // namespace mikura::engine
