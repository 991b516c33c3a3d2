// SPDX-License-Identifier: Apache-2.0
// Commands that give scores to members of sorted sets.
#include <cmath>
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/sorted_set_support.h"

namespace mikura::engine {
namespace {

using Change = SortedSetValue::Change;

struct AddOptions {
  bool only_new = false;        // NX
  bool only_existing = false;   // XX
  bool only_greater = false;    // GT
  bool only_less = false;       // LT
  bool counts_changed = false;  // CH
  bool increments = false;      // INCR
};

bool TakeOption(std::string_view word, AddOptions& options) {
  if (EqualsIgnoreCase(word, "NX")) {
    options.only_new = true;
  } else if (EqualsIgnoreCase(word, "XX")) {
    options.only_existing = true;
  } else if (EqualsIgnoreCase(word, "GT")) {
    options.only_greater = true;
  } else if (EqualsIgnoreCase(word, "LT")) {
    options.only_less = true;
  } else if (EqualsIgnoreCase(word, "CH")) {
    options.counts_changed = true;
  } else if (EqualsIgnoreCase(word, "INCR")) {
    options.increments = true;
  } else {
    return false;
  }
  return true;
}

// What is wrong with the options and the number of pairs behind them; empty when nothing is.
std::string_view Complaint(const AddOptions& options, size_t words) {
  if (words == 0 || words % 2 != 0) return "syntax error";
  if (options.only_new && options.only_existing) {
    return "XX and NX options at the same time are not compatible";
  }
  const int conditions =
      (options.only_new ? 1 : 0) + (options.only_greater ? 1 : 0) + (options.only_less ? 1 : 0);
  if (conditions > 1) return "GT, LT, and/or NX options at the same time are not compatible";
  if (options.increments && words > 2) {
    return "INCR option supports a single increment-element pair";
  }
  return {};
}

struct Outcome {
  Change change = Change::kNone;
  bool is_refused = false;  // by a condition
  bool is_nan = false;
  double score = 0;  // what the member has now
};

Outcome Apply(SortedSetValue& set, const EncodingLimits& limits, const AddOptions& options,
              std::string_view member, double score) {
  const std::optional<double> old = set.ScoreOf(member);
  if (old ? options.only_new : options.only_existing) return {.is_refused = true};
  if (old && options.increments) score += *old;
  if (std::isnan(score)) return {.is_nan = true};
  if (old && ((options.only_greater && score <= *old) || (options.only_less && score >= *old))) {
    return {.is_refused = true};
  }
  return {.change = PutMember(set, limits, member, score), .score = score};
}

// All pairs of one command, applied.
struct Totals {
  int64_t added = 0;
  int64_t updated = 0;
  Outcome last;
  std::vector<std::string_view> effect;

  bool has_changes() const { return added + updated > 0; }
};

Totals ApplyAll(CommandContext& ctx, SortedSetValue& set, const AddOptions& options,
                std::span<const std::string_view> pairs, const std::vector<double>& scores) {
  Totals totals;
  const bool has_effects = ctx.keys.effects().active();
  if (has_effects) totals.effect = {"ZADD", ctx.args[1]};
  for (size_t i = 0; i < scores.size(); ++i) {
    const std::string_view member = pairs[2 * i + 1];
    totals.last = Apply(set, ctx.services.encoding_limits, options, member, scores[i]);
    if (totals.last.change == Change::kNone) continue;
    ++(totals.last.change == Change::kAdded ? totals.added : totals.updated);
    if (has_effects) totals.effect.insert(totals.effect.end(), {pairs[2 * i], member});
  }
  return totals;
}

FaultOr<> Add(CommandContext& ctx, AddOptions options) {
  size_t first = 2;
  while (first < ctx.args.size() && TakeOption(ctx.args[first], options)) ++first;
  const std::span<const std::string_view> pairs = ctx.args.subspan(first);
  if (const std::string_view complaint = Complaint(options, pairs.size()); !complaint.empty()) {
    ctx.reply.Error("ERR", complaint);
    return Ok();
  }
  std::vector<double> scores;
  scores.reserve(pairs.size() / 2);
  for (size_t i = 0; i < pairs.size(); i += 2) {
    ASSIGN_OR_RETURN(const double score, ToScore(pairs[i]));
    scores.push_back(score);
  }
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(SortedSetEdit set, ctx.keys.Edit<SortedSetValue>(key));
  Totals totals = ApplyAll(ctx, *set, options, pairs, scores);
  if (totals.last.is_nan) {
    ctx.reply.Error("ERR", "resulting score is not a number (NaN)");
    return Ok();
  }
  const ScoreText sum(totals.last.score);
  if (totals.has_changes()) {
    RETURN_IF_ERROR(set.Commit());
    ctx.keys.Notify(EventClass::kSortedSet, options.increments ? "zincr" : "zadd", key);
    if (options.increments && !totals.effect.empty()) totals.effect[2] = sum;
    ctx.keys.effects().Add(ctx.keys.database(), totals.effect);
  }
  if (!options.increments) {
    ctx.reply.Integer(totals.added + (options.counts_changed ? totals.updated : 0));
  } else if (totals.last.is_refused) {
    ctx.reply.Null();
  } else {
    ctx.reply.Double(totals.last.score);
  }
  return Ok();
}

// ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...] -> the number of new
// members; CH: of changed ones too; INCR: the new score, or null when a condition did not hold.
// Cost: O(log n) for each.
FaultOr<> ZAdd(CommandContext& ctx) { return Add(ctx, {}); }
FaultOr<> ZIncrBy(CommandContext& ctx) { return Add(ctx, {.increments = true}); }

constexpr CommandSpec kZsetAddCommands[] = {
    {.name = "ZADD",
     .handler = ZAdd,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "1.2.0",
     .summary = "Gives scores to members of a sorted set.",
     .key_access = "RW update"},
    {.name = "ZINCRBY",
     .handler = ZIncrBy,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom | kFast,
     .acl = kAclSortedSet,
     .group = "sorted-set",
     .since = "1.2.0",
     .summary = "Adds to the score of a member.",
     .key_access = "RW access update"},
};

}  // namespace

std::span<const CommandSpec> ZsetAddCommands() { return kZsetAddCommands; }

}  // namespace mikura::engine
