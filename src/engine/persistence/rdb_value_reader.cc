// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/rdb_value_reader.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <optional>

#include "base/numbers.h"
#include "engine/collections/hash_value.h"
#include "engine/collections/list_value.h"
#include "engine/collections/set_value.h"
#include "engine/collections/sorted_set_value.h"
#include "engine/persistence/compact_lists.h"
#include "engine/persistence/rdb_format.h"
#include "engine/persistence/rdb_stream_reader.h"

namespace mikura::engine {
namespace {

using collections::HashValue;
using collections::ListValue;
using collections::SetValue;
using collections::SortedSetValue;

constexpr std::string_view kTypeNames[] = {
    "string",
    "list",
    "set",
    "sorted set",
    "hash",
    "sorted set",
    "module value",
    "module value",
    "reserved type",
    "hash (zipmap)",
    "list (ziplist)",
    "set (intset)",
    "sorted set (ziplist)",
    "hash (ziplist)",
    "list (quicklist)",
    "stream",
    "hash (listpack)",
    "sorted set (listpack)",
    "list (quicklist 2)",
    "stream",
    "set (listpack)",
    "stream",
    "hash with deadlines",
    "hash with deadlines (listpack)",
    "hash with deadlines",
    "hash with deadlines (listpack)",
};

// Elements of a compact list, one by one; what is wrong with it is told by the second call.
template <typename Visit>
Status ForEach(RdbInput& input, CompactForm form, std::string_view bytes, const Visit& visit) {
  CompactReader reader(form, bytes);
  std::string_view element;
  while (reader.Next(element)) RETURN_IF_ERROR(visit(element));
  if (reader.is_malformed()) return input.Malformed("a compact list that cannot be read");
  return Ok();
}

// The elements by twos: fields and values, members and scores.
template <typename Visit>
Status ForEachPair(RdbInput& input, CompactForm form, std::string_view bytes, const Visit& visit) {
  std::string first;
  bool has_first = false;
  RETURN_IF_ERROR(ForEach(input, form, bytes, [&](std::string_view element) -> Status {
    has_first = !has_first;
    if (has_first) {
      first.assign(element);
      return Ok();
    }
    return visit(std::string_view(first), element);
  }));
  if (has_first) return input.Malformed("a compact list with one element too few");
  return Ok();
}

}  // namespace

std::string_view RdbTypeName(uint8_t type) {
  return type < std::size(kTypeNames) ? kTypeNames[type] : "unknown type";
}

Status RdbValueReader::Read(uint8_t type, RdbValue& out) {
  out.collection.reset();
  switch (type) {
    case kRdbTypeString:
      return input_.ReadString(out.text);
    case kRdbTypeList:
    case kRdbTypeListZiplist:
    case kRdbTypeListQuicklist:
    case kRdbTypeListQuicklist2:
      return ReadList(type, out);
    case kRdbTypeSet:
    case kRdbTypeSetIntset:
    case kRdbTypeSetListpack:
      return ReadSet(type, out);
    case kRdbTypeSortedSet:
    case kRdbTypeSortedSet2:
    case kRdbTypeSortedSetZiplist:
    case kRdbTypeSortedSetListpack:
      return ReadSortedSet(type, out);
    case kRdbTypeHash:
    case kRdbTypeHashZipmap:
    case kRdbTypeHashZiplist:
    case kRdbTypeHashListpack:
    case kRdbTypeHashDeadlinesOld:
    case kRdbTypeHashListpackDeadlinesOld:
    case kRdbTypeHashDeadlines:
    case kRdbTypeHashListpackDeadlines:
      return ReadHash(type, out);
    case kRdbTypeStream:
    case kRdbTypeStream2:
    case kRdbTypeStream3:
      return ReadStream(type, out);
    default:
      return input_.Malformed(
          fmt::format("a {} (RDB type {}), which is not supported", RdbTypeName(type), type));
  }
}

// Redis has no empty collections; some old versions have written them.
Status RdbValueReader::Finish(std::unique_ptr<collections::Collection> value, bool is_empty,
                              RdbValue& out) {
  if (is_empty) return input_.Malformed("an empty collection");
  out.collection.reset(value.release());
  return Ok();
}

Status RdbValueReader::ReadList(uint8_t type, RdbValue& out) {
  auto list = std::make_unique<ListValue>(memory_);
  const auto push = [&](std::string_view element) -> Status {
    list->PushBack(element);
    return Ok();
  };
  uint64_t parts = 1;
  if (type != kRdbTypeListZiplist) {
    ASSIGN_OR_RETURN(parts, input_.ReadLength());
  }
  for (; parts > 0; --parts) {
    uint64_t container = kRdbQuicklistPacked;
    if (type == kRdbTypeListQuicklist2) {
      ASSIGN_OR_RETURN(container, input_.ReadLength());
    }
    RETURN_IF_ERROR(input_.ReadString(first_));
    if (type == kRdbTypeList || container == kRdbQuicklistPlain) {
      list->PushBack(first_);
      continue;
    }
    if (container != kRdbQuicklistPacked) return input_.Malformed("an unknown kind of list node");
    const CompactForm form =
        type == kRdbTypeListQuicklist2 ? CompactForm::kListpack : CompactForm::kZiplist;
    RETURN_IF_ERROR(ForEach(input_, form, first_, push));
  }
  const bool is_empty = list->empty();
  return Finish(std::move(list), is_empty, out);
}

Status RdbValueReader::ReadSet(uint8_t type, RdbValue& out) {
  auto set = std::make_unique<SetValue>(memory_);
  const auto add = [&](std::string_view element) -> Status {
    if (!set->Add(element)) return input_.Malformed("a set with an element twice");
    return Ok();
  };
  if (type == kRdbTypeSet) {
    ASSIGN_OR_RETURN(uint64_t count, input_.ReadLength());
    for (; count > 0; --count) {
      RETURN_IF_ERROR(input_.ReadString(first_));
      RETURN_IF_ERROR(add(first_));
    }
  } else {
    RETURN_IF_ERROR(input_.ReadString(first_));
    const CompactForm form =
        type == kRdbTypeSetIntset ? CompactForm::kIntset : CompactForm::kListpack;
    RETURN_IF_ERROR(ForEach(input_, form, first_, add));
  }
  const bool is_empty = set->empty();
  return Finish(std::move(set), is_empty, out);
}

Status RdbValueReader::ReadSortedSet(uint8_t type, RdbValue& out) {
  auto set = std::make_unique<SortedSetValue>(memory_);
  const auto add = [&](std::string_view member, double score) -> Status {
    if (std::isnan(score)) return input_.Malformed("a score that is not a number");
    if (set->Set(member, score) != SortedSetValue::Change::kAdded) {
      return input_.Malformed("a sorted set with a member twice");
    }
    return Ok();
  };
  if (type == kRdbTypeSortedSet || type == kRdbTypeSortedSet2) {
    ASSIGN_OR_RETURN(uint64_t count, input_.ReadLength());
    for (; count > 0; --count) {
      RETURN_IF_ERROR(input_.ReadString(first_));
      double score = 0;
      if (type == kRdbTypeSortedSet2) {
        ASSIGN_OR_RETURN(score, input_.ReadDouble());
      } else {
        ASSIGN_OR_RETURN(score, input_.ReadTextDouble());
      }
      RETURN_IF_ERROR(add(first_, score));
    }
  } else {
    RETURN_IF_ERROR(input_.ReadString(first_));
    const CompactForm form =
        type == kRdbTypeSortedSetZiplist ? CompactForm::kZiplist : CompactForm::kListpack;
    RETURN_IF_ERROR(ForEachPair(input_, form, first_,
                                [&](std::string_view member, std::string_view text) -> Status {
                                  const std::optional<double> score = ParseDouble(text);
                                  if (!score) return input_.Malformed("a score of no number");
                                  return add(member, *score);
                                }));
  }
  const bool is_empty = set->empty();
  return Finish(std::move(set), is_empty, out);
}

Status RdbValueReader::AddField(HashValue& hash, std::string_view field, std::string_view value,
                                UnixMillis deadline) {
  if (hash.Set(field, value, deadline)) return Ok();
  return input_.Malformed("a hash with a field twice");
}

// Deadline, field and value; 0: no deadline. Since Redis 7.4.0 a deadline is what it is later than
// the first one, and 1.
Status RdbValueReader::ReadFieldsWithDeadlines(uint8_t type, HashValue& hash) {
  uint64_t first_deadline = 1;
  if (type == kRdbTypeHashDeadlines) {
    ASSIGN_OR_RETURN(first_deadline, input_.ReadFixed(8, true));
  }
  ASSIGN_OR_RETURN(uint64_t count, input_.ReadLength());
  for (; count > 0; --count) {
    ASSIGN_OR_RETURN(const uint64_t deadline, input_.ReadLength());
    RETURN_IF_ERROR(input_.ReadString(first_));
    RETURN_IF_ERROR(input_.ReadString(second_));
    RETURN_IF_ERROR(AddField(hash, first_, second_,
                             deadline == 0
                                 ? collections::kNoFieldDeadline
                                 : static_cast<UnixMillis>(first_deadline + deadline - 1)));
  }
  return Ok();
}

// A listpack of field, value and deadline.
Status RdbValueReader::ReadTriples(HashValue& hash) {
  RETURN_IF_ERROR(input_.ReadString(first_));
  std::string words[3];
  size_t have = 0;
  RETURN_IF_ERROR(
      ForEach(input_, CompactForm::kListpack, first_, [&](std::string_view element) -> Status {
        words[have++].assign(element);
        if (have < 3) return Ok();
        have = 0;
        const std::optional<int64_t> deadline = ParseInt64(words[2]);
        if (!deadline) return input_.Malformed("a field's deadline of no number");
        return AddField(hash, words[0], words[1],
                        *deadline == 0 ? collections::kNoFieldDeadline : *deadline);
      }));
  if (have != 0) return input_.Malformed("a compact list with one element too few");
  return Ok();
}

Status RdbValueReader::ReadHash(uint8_t type, RdbValue& out) {
  auto hash = std::make_unique<HashValue>(memory_);
  if (type == kRdbTypeHashDeadlines || type == kRdbTypeHashDeadlinesOld) {
    RETURN_IF_ERROR(ReadFieldsWithDeadlines(type, *hash));
  } else if (type == kRdbTypeHashListpackDeadlines || type == kRdbTypeHashListpackDeadlinesOld) {
    // The first deadline follows from the others.
    if (type == kRdbTypeHashListpackDeadlines) RETURN_IF_ERROR(input_.ReadFixed(8, true));
    RETURN_IF_ERROR(ReadTriples(*hash));
  } else if (type == kRdbTypeHash) {
    ASSIGN_OR_RETURN(uint64_t count, input_.ReadLength());
    for (; count > 0; --count) {
      RETURN_IF_ERROR(input_.ReadString(first_));
      RETURN_IF_ERROR(input_.ReadString(second_));
      RETURN_IF_ERROR(AddField(*hash, first_, second_));
    }
  } else {
    RETURN_IF_ERROR(input_.ReadString(first_));
    const CompactForm form = type == kRdbTypeHashZipmap    ? CompactForm::kZipmap
                             : type == kRdbTypeHashZiplist ? CompactForm::kZiplist
                                                           : CompactForm::kListpack;
    RETURN_IF_ERROR(
        ForEachPair(input_, form, first_, [&](std::string_view field, std::string_view value) {
          return AddField(*hash, field, value);
        }));
  }
  const bool is_empty = hash->empty();
  return Finish(std::move(hash), is_empty, out);
}

Status RdbValueReader::ReadStream(uint8_t type, RdbValue& out) {
  auto stream = ReadRdbStream(input_, memory_, type);
  if (!stream.ok()) return std::move(stream).error();
  out.collection.reset(stream->release());
  return Ok();
}

}  // namespace mikura::engine
