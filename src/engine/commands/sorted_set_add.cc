// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/sorted_set_add.h"

#include <cmath>
#include <vector>

namespace mikura::engine {
namespace {

using Change = SortedSetValue::Change;

struct Outcome {
  Change change = Change::kNone;
  bool is_refused = false;  // by a condition
  bool is_nan = false;
  double score = 0;  // what the member has now
};

Outcome Apply(SortedSetValue& set, const EncodingLimits& limits, const AddOptions& options,
              std::string_view member, double score) {
  if (options.needs_old_score()) {
    const std::optional<double> old = set.ScoreOf(member);
    if (old ? options.only_new : options.only_existing) return {.is_refused = true};
    if (old && options.increments) score += *old;
    if (std::isnan(score)) return {.is_nan = true};
    if (old && ((options.only_greater && score <= *old) || (options.only_less && score >= *old))) {
      return {.is_refused = true};
    }
  }
  return {.change = PutMember(set, limits, member, score), .score = score};
}

// What changed, as a ZADD.
void LogAdded(CommandContext& ctx, const std::vector<ScoredMember>& changed) {
  std::vector<ScoreText> texts;
  texts.reserve(changed.size());
  std::vector<std::string_view> words = {"ZADD", ctx.args[1]};
  words.reserve(2 + 2 * changed.size());
  for (const ScoredMember& element : changed) {
    words.push_back(texts.emplace_back(element.score));
    words.push_back(element.member);
  }
  ctx.keys.effects().Add(ctx.keys.database(), words);
}

}  // namespace

FaultOr<> AddScores(CommandContext& ctx, const AddOptions& options,
                    std::span<const ScoredMember> pairs) {
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(SortedSetEdit set, ctx.keys.Edit<SortedSetValue>(key));
  const bool has_effects = ctx.keys.effects().active();
  std::vector<ScoredMember> changed;
  int64_t added = 0;
  int64_t updated = 0;
  Outcome last;
  for (const ScoredMember& pair : pairs) {
    last = Apply(*set, ctx.services.encoding_limits, options, pair.member, pair.score);
    if (last.change == Change::kNone) continue;
    ++(last.change == Change::kAdded ? added : updated);
    if (has_effects) changed.push_back({pair.member, last.score});
  }
  if (last.is_nan) {  // an increment, which changed nothing
    ctx.reply.Error("ERR", "resulting score is not a number (NaN)");
    return Ok();
  }
  if (added + updated > 0) {
    RETURN_IF_ERROR(set.Commit());
    ctx.keys.Notify(EventClass::kSortedSet, options.increments ? "zincr" : "zadd", key);
    if (has_effects) LogAdded(ctx, changed);
  }
  if (!options.increments) {
    ctx.reply.Integer(added + (options.counts_changed ? updated : 0));
  } else if (last.is_refused) {
    ctx.reply.Null();
  } else {
    ctx.reply.Double(last.score);
  }
  return Ok();
}

}  // namespace mikura::engine
