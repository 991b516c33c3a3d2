// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/hash_editor.h"

namespace mikura::engine {

std::optional<HashField> HashEditor::Find(std::string_view name) {
  const std::optional<HashField> field = edit()->Find(name);
  if (!field || !field->IsDue(ctx_->now())) return field;
  if (ctx_->keys.access().may_expire) {
    edit()->Erase(name);
    AddEffect(*ctx_, {"HDEL", key_->name, name});
    is_changed_ = true;
    has_expired_ = true;
  }
  return std::nullopt;
}

void HashEditor::Set(std::string_view name, std::string_view value, UnixMillis deadline) {
  edit()->Set(name, value, deadline);
  NoteHashForm(*edit(), ctx_->services.encoding_limits, name, value);
  is_changed_ = true;
}

bool HashEditor::Put(std::string_view name, std::string_view value) {
  if (edit()->first_deadline() <= ctx_->now()) {  // something is due: perhaps this field
    const bool is_new = !Find(name).has_value();
    Set(name, value);
    return is_new;
  }
  const bool is_new = edit()->Set(name, value);
  NoteHashForm(*edit(), ctx_->services.encoding_limits, name, value);
  is_changed_ = true;
  return is_new;
}

void HashEditor::SetDeadline(std::string_view name, UnixMillis deadline) {
  edit()->SetDeadline(name, deadline);
  is_changed_ = true;
}

bool HashEditor::Erase(std::string_view name) {
  if (!Find(name)) return false;
  edit()->Erase(name);
  is_changed_ = true;
  return true;
}

// Redis gives up its compact form for good once a hash or a value in it is too large for it.
void NoteHashForm(HashValue& hash, const EncodingLimits& limits, std::string_view name,
                  std::string_view value) {
  if (hash.is_hashtable()) return;
  const auto value_max =
      static_cast<uint64_t>(limits.hash_value_bytes.load(std::memory_order_relaxed));
  const auto entries_max =
      static_cast<uint64_t>(limits.hash_entries.load(std::memory_order_relaxed));
  if (name.size() > value_max || value.size() > value_max || hash.size() > entries_max) {
    hash.set_is_hashtable();
  }
}

FaultOr<> HashEditor::Commit(std::initializer_list<std::string_view> events) {
  if (!is_changed_) return Ok();
  ASSIGN_OR_RETURN(const bool removed, edit().Commit());
  if (has_expired_) ctx_->keys.Notify(EventClass::kHash, "hexpired", *key_);
  for (const std::string_view event : events) {
    if (!event.empty()) ctx_->keys.Notify(EventClass::kHash, event, *key_);
  }
  if (removed) ctx_->keys.Notify(EventClass::kGeneric, "del", *key_);
  return Ok();
}

void LogFields(CommandContext& ctx, std::initializer_list<std::string_view> first,
               const std::vector<std::string_view>& fields) {
  if (fields.empty()) return;
  EffectWords effect(ctx, first);
  const NumberText count(static_cast<int64_t>(fields.size()));
  effect.Add("FIELDS");
  effect.Add(count);
  for (const std::string_view field : fields) effect.Add(field);
  effect.Log();
}

void LogHashDeletion(CommandContext& ctx, const std::vector<std::string_view>& fields) {
  if (fields.empty()) return;
  EffectWords effect(ctx, {"HDEL", ctx.key_list[0].name});
  for (const std::string_view field : fields) effect.Add(field);
  effect.Log();
}

}  // namespace mikura::engine
