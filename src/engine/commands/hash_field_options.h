// SPDX-License-Identifier: Apache-2.0
// What the commands on deadlines of fields share: their words, and changing deadlines.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/commands/hash_editor.h"

namespace mikura::engine {

inline constexpr std::string_view kFieldsNotPositive =
    "Number of fields must be a positive integer";

// The fields of "FIELDS n field ...", the words from `at` on to the end. not_positive: the error
// for n. Empty after an error reply.
std::optional<std::span<const std::string_view>> TakeFields(CommandContext& ctx, size_t at,
                                                            std::string_view not_positive);

// The deadline that `text` means, which may be in the past. Empty after an error reply.
std::optional<UnixMillis> TakeFieldDeadline(CommandContext& ctx, std::string_view text,
                                            ExpireForm form);

// EX, PX, EXAT or PXAT; nullopt: another word.
std::optional<ExpireForm> ExpireFormOf(std::string_view word);

// Gives one deadline to fields of a hash, or takes it away, or removes the fields when it has
// passed; with effects and events.
class FieldDeadlineChange {
 public:
  // Both outlive it.
  FieldDeadlineChange(CommandContext& ctx, HashEditor& hash, UnixMillis deadline)
      : ctx_(ctx), hash_(hash), deadline_(deadline), removes_(IsRemoval(ctx, deadline)) {}

  // Whether fields with this deadline are removed at once: not on a replica, where the primary's
  // word is needed.
  static bool IsRemoval(const CommandContext& ctx, UnixMillis deadline) {
    return deadline <= ctx.now() && ctx.keys.access().may_expire;
  }

  // To a live field. False when it was removed.
  bool Apply(std::string_view name);
  // Stores the hash; `first_event` comes before those of the deadlines.
  FaultOr<> Commit(std::string_view first_event = {});

 private:
  CommandContext& ctx_;
  HashEditor& hash_;
  const UnixMillis deadline_;
  const bool removes_;
  std::vector<std::string_view> names_;
};

}  // namespace mikura::engine
