// SPDX-License-Identifier: Apache-2.0
// What the hash commands share: fields as clients see them, and changes with their effects.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/collections/hash_value.h"
#include "engine/commands/command_support.h"
#include "engine/keyspace/collection_access.h"

namespace mikura::engine {

using collections::HashValue;
using collections::kNoFieldDeadline;
using HashField = HashValue::Field;
using HashView = CollectionView<HashValue>;

// The field unless it is absent, or due: then it is absent for every client already.
inline std::optional<HashField> FindLive(const HashValue& hash, std::string_view name,
                                         UnixMillis now) {
  std::optional<HashField> field = hash.Find(name);
  if (field && field->IsDue(now)) return std::nullopt;
  return field;
}

inline std::optional<HashField> FindLive(const HashView& hash, std::string_view name,
                                         UnixMillis now) {
  return hash ? FindLive(*hash, name, now) : std::nullopt;
}

// Fields that are not due.
inline uint64_t LiveSize(const HashValue& hash, UnixMillis now) {
  return hash.size() - hash.CountDue(now);
}

// After a field was set: notes what OBJECT ENCODING says.
void NoteHashForm(HashValue& hash, const EncodingLimits& limits, std::string_view name,
                  std::string_view value);

// One hash that a command changes. A due field that the command meets is removed on the way, with
// its effect and its event, where that is allowed (not on a replica).
class HashEditor {
 public:
  // Of the row's first key. Where Opened() has an error (kWrongType), nothing else may be asked.
  explicit HashEditor(CommandContext& ctx)
      : ctx_(&ctx), key_(&ctx.key_list[0]), opened_(ctx.keys.Edit<HashValue>(ctx.key_list[0])) {}

  FaultOr<> Opened() const {
    if (!opened_.ok()) return opened_.error();
    return Ok();
  }

  // The live field; views are valid until the next change.
  std::optional<HashField> Find(std::string_view name);
  // Without a deadline, the field has none from now on.
  void Set(std::string_view name, std::string_view value, UnixMillis deadline = kNoFieldDeadline);
  // The same without a deadline; true when no live field of that name was there.
  bool Put(std::string_view name, std::string_view value);
  void SetDeadline(std::string_view name, UnixMillis deadline);
  // True when a live field was removed.
  bool Erase(std::string_view name);
  // True when the key was there before.
  bool existed() const { return opened_->existed(); }

  // Stores what was changed, and tells the events: `event` first unless it is empty, "del" when the
  // last field went. Does nothing without a change.
  FaultOr<> Commit(std::initializer_list<std::string_view> events);

 private:
  CollectionEdit<HashValue>& edit() { return *opened_; }

  CommandContext* ctx_;
  const Key* key_;
  FaultOr<CollectionEdit<HashValue>> opened_;
  bool is_changed_ = false;
  bool has_expired_ = false;
};

// An effect of many words; nothing is gathered while nobody reads the log.
class EffectWords {
 public:
  EffectWords(CommandContext& ctx, std::initializer_list<std::string_view> first)
      : ctx_(ctx), is_active_(ctx.keys.effects().active()) {
    if (is_active_) words_ = first;
  }
  void Add(std::string_view word) {
    if (is_active_) words_.push_back(word);
  }
  void Set(size_t index, std::string_view word) {
    if (is_active_) words_[index] = word;
  }
  size_t size() const { return words_.size(); }
  void Log() {
    if (is_active_) ctx_.keys.effects().Add(ctx_.keys.database(), words_);
  }

 private:
  CommandContext& ctx_;
  const bool is_active_;
  std::vector<std::string_view> words_;
};

// The effect "<first words> FIELDS n field ..." (HPERSIST, HPEXPIREAT), or "HDEL key field ...";
// none without fields.
void LogFields(CommandContext& ctx, std::initializer_list<std::string_view> first,
               const std::vector<std::string_view>& fields);
void LogHashDeletion(CommandContext& ctx, const std::vector<std::string_view>& fields);

}  // namespace mikura::engine
