// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/sorted_set_add.h"

#include <cmath>
#include <utility>
#include <vector>

#include "engine/commands/prepared_edit.h"

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

struct Added {
  int64_t added = 0;
  int64_t updated = 0;
  Outcome last;
  std::vector<ScoredMember> changed;  // when they are wanted
};

Added ApplyAll(SortedSetValue& set, const EncodingLimits& limits, const AddOptions& options,
               std::span<const ScoredMember> pairs, bool wants_changed) {
  Added all;
  for (const ScoredMember& pair : pairs) {
    all.last = Apply(set, limits, options, pair.member, pair.score);
    if (all.last.change == Change::kNone) continue;
    ++(all.last.change == Change::kAdded ? all.added : all.updated);
    if (wants_changed) all.changed.push_back({pair.member, all.last.score});
  }
  return all;
}

FaultOr<> Finish(CommandContext& ctx, const AddOptions& options, SortedSetEdit& set,
                 const Added& all) {
  if (all.last.is_nan) {  // an increment, which changed nothing
    ctx.reply.Error("ERR", "resulting score is not a number (NaN)");
    return Ok();
  }
  if (all.added + all.updated > 0) {
    RETURN_IF_ERROR(set.Commit());
    ctx.keys.Notify(EventClass::kSortedSet, options.increments ? "zincr" : "zadd", ctx.key_list[0]);
    if (ctx.keys.effects().active()) LogAdded(ctx, all.changed);
  }
  if (!options.increments) {
    ctx.reply.Integer(all.added + (options.counts_changed ? all.updated : 0));
  } else if (all.last.is_refused) {
    ctx.reply.Null();
  } else {
    ctx.reply.Double(all.last.score);
  }
  return Ok();
}

// The pairs with the places of the members among the words instead of views on them.
std::vector<std::pair<size_t, double>> PlacesOf(std::span<const ScoredMember> pairs,
                                                std::span<const std::string_view> args) {
  std::vector<std::pair<size_t, double>> places;
  places.reserve(pairs.size());
  size_t word = 0;
  for (const ScoredMember& pair : pairs) {
    while (args[word].data() != pair.member.data()) ++word;
    places.emplace_back(word, pair.score);
  }
  return places;
}

FaultOr<> AddManyScores(CommandContext& ctx, const AddOptions& options,
                        std::span<const ScoredMember> pairs) {
  const auto change = [options, places = PlacesOf(pairs, ctx.args)](
                          SortedSetValue& set, std::span<const std::string_view> args,
                          const EncodingLimits& limits) {
    std::vector<ScoredMember> own;
    own.reserve(places.size());
    for (const auto& [word, score] : places) own.push_back({args[word], score});
    return ApplyAll(set, limits, options, own, true);
  };
  return EditPrepared<SortedSetValue, Added>(
      ctx, change, [&](CommandContext& context, SortedSetEdit& set, const Added& all) {
        return Finish(context, options, set, all);
      });
}

}  // namespace

FaultOr<> AddScores(CommandContext& ctx, const AddOptions& options,
                    std::span<const ScoredMember> pairs) {
  if (HasManyWords(ctx)) [[unlikely]]
    return AddManyScores(ctx, options, pairs);
  ASSIGN_OR_RETURN(SortedSetEdit && set, ctx.keys.Edit<SortedSetValue>(ctx.key_list[0]));
  const Added all =
      ApplyAll(*set, ctx.services.encoding_limits, options, pairs, ctx.keys.effects().active());
  return Finish(ctx, options, set, all);
}

}  // namespace mikura::engine
