// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/entry_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/numbers.h"
#include "engine/collections/hash_value.h"
#include "engine/collections/list_value.h"
#include "engine/collections/set_value.h"
#include "engine/collections/sorted_set_value.h"
#include "engine/collections/stream_value.h"
#include "engine/keyspace/effects.h"
#include "engine/persistence/stream_commands_writer.h"

namespace mikura::engine {
namespace {

using collections::Collection;
using collections::CollectionType;
using collections::HashValue;
using collections::ListValue;
using collections::SetValue;
using collections::SortedSetValue;
using collections::StreamValue;

// Begins a command in front of every 64th element.
class ElementCommands {
 public:
  ElementCommands(std::string& out, std::string_view name, std::string_view key, uint64_t elements,
                  size_t words_per_element)
      : out_(out), name_(name), key_(key), left_(elements), words_(words_per_element) {}

  void BeginElement() {
    if (left_in_command_ == 0) {
      left_in_command_ = std::min(left_, kElementsPerCommand);
      AppendCommandHeader(out_, 2 + left_in_command_ * words_);
      AppendCommandWord(out_, name_);
      AppendCommandWord(out_, key_);
    }
    --left_in_command_;
    --left_;
  }

 private:
  std::string& out_;
  const std::string_view name_;
  const std::string_view key_;
  uint64_t left_;
  uint64_t left_in_command_ = 0;
  const size_t words_;
};

// Lists and sets.
template <typename T>
Status AppendElements(std::string& out, std::string_view name, std::string_view key, const T& value,
                      const RdbFlush& flush) {
  ElementCommands commands(out, name, key, value.size(), 1);
  for (typename T::Cursor c(value); !c.at_end(); c.Next()) {
    commands.BeginElement();
    AppendCommandWord(out, c.element());
    RETURN_IF_ERROR(FlushWhenLarge(out, flush));
  }
  return Ok();
}

Status AppendSortedSet(std::string& out, std::string_view key, const SortedSetValue& value,
                       const RdbFlush& flush) {
  ElementCommands commands(out, "ZADD", key, value.size(), 2);
  for (SortedSetValue::Cursor c(value); !c.at_end(); c.Next()) {
    const SortedSetValue::Element element = c.element();
    char score[kDoubleTextMax];
    const size_t size = FormatDouble17(element.score, score);
    commands.BeginElement();
    AppendCommandWord(out, {score, size});
    AppendCommandWord(out, element.member);
    RETURN_IF_ERROR(FlushWhenLarge(out, flush));
  }
  return Ok();
}

Status AppendHash(std::string& out, std::string_view key, const HashValue& value,
                  const RdbFlush& flush) {
  ElementCommands commands(out, "HMSET", key, value.size(), 2);
  for (HashValue::Cursor c(value); !c.at_end(); c.Next()) {
    commands.BeginElement();
    AppendCommandWord(out, c.field().name);
    AppendCommandWord(out, c.field().value);
    RETURN_IF_ERROR(FlushWhenLarge(out, flush));
  }
  if (value.first_deadline() == collections::kNoFieldDeadline) return Ok();
  for (HashValue::Cursor c(value); !c.at_end(); c.Next()) {
    const HashValue::Field field = c.field();
    if (field.deadline == collections::kNoFieldDeadline) continue;
    const fmt::format_int deadline(field.deadline);
    AppendWords(out,
                {"HPEXPIREAT", key, {deadline.data(), deadline.size()}, "FIELDS", "1", field.name});
    RETURN_IF_ERROR(FlushWhenLarge(out, flush));
  }
  return Ok();
}

Status AppendValue(std::string& out, std::string_view key, const Collection& value,
                   const RdbFlush& flush) {
  switch (value.type()) {
    case CollectionType::kList:
      return AppendElements(out, "RPUSH", key, static_cast<const ListValue&>(value), flush);
    case CollectionType::kSet:
      return AppendElements(out, "SADD", key, static_cast<const SetValue&>(value), flush);
    case CollectionType::kSortedSet:
      return AppendSortedSet(out, key, static_cast<const SortedSetValue&>(value), flush);
    case CollectionType::kHash:
      return AppendHash(out, key, static_cast<const HashValue&>(value), flush);
    case CollectionType::kStream:
      break;
  }
  return AppendStreamCommands(out, key, static_cast<const StreamValue&>(value), flush);
}

void AppendDeadline(std::string& out, std::string_view key, UnixMillis deadline) {
  if (deadline == store::kNoDeadline) return;
  const fmt::format_int text(deadline);
  AppendWords(out, {"PEXPIREAT", key, {text.data(), text.size()}});
}

}  // namespace

void AppendWords(std::string& out, std::initializer_list<std::string_view> words) {
  AppendCommandHeader(out, words.size());
  for (const std::string_view word : words) AppendCommandWord(out, word);
}

void BeginStringCommands(std::string& out, std::string_view key, size_t value_bytes,
                         const store::Attributes& attributes) {
  AppendCommandHeader(out, attributes.has_memcached ? 7 : 3);
  AppendCommandWord(out, attributes.has_memcached ? "MIKURA.SET" : "SET");
  AppendCommandWord(out, key);
  fmt::format_to(std::back_inserter(out), "${}\r\n", value_bytes);
}

void EndStringCommands(std::string& out, std::string_view key,
                       const store::Attributes& attributes) {
  out.append("\r\n");
  if (!attributes.has_memcached) return AppendDeadline(out, key, attributes.deadline);
  const bool has_deadline = attributes.deadline != store::kNoDeadline;
  AppendCommandWord(out, std::to_string(attributes.memcached_flags));
  AppendCommandWord(out, std::to_string(attributes.cas));
  AppendCommandWord(out, std::to_string(has_deadline ? attributes.deadline : -1));
  AppendCommandWord(out, std::to_string(attributes.memcached_state));
}

void AppendStringCommands(std::string& out, std::string_view key, std::string_view value,
                          const store::Attributes& attributes) {
  BeginStringCommands(out, key, value.size(), attributes);
  out.append(value);
  EndStringCommands(out, key, attributes);
}

Status AppendCollectionCommands(std::string& out, std::string_view key, const Collection& value,
                                UnixMillis deadline, const RdbFlush& flush) {
  RETURN_IF_ERROR(AppendValue(out, key, value, flush));
  AppendDeadline(out, key, deadline);
  return Ok();
}

void AppendLibraryCommand(std::string& out, std::string_view code) {
  AppendWords(out, {"FUNCTION", "LOAD", code});
}

}  // namespace mikura::engine
