// SPDX-License-Identifier: Apache-2.0
// Commands that give scores to members of sorted sets.
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/sorted_set_add.h"

namespace mikura::engine {
namespace {

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

FaultOr<> Add(CommandContext& ctx, AddOptions options) {
  size_t first = 2;
  while (first < ctx.args.size() && TakeOption(ctx.args[first], options)) ++first;
  const std::span<const std::string_view> words = ctx.args.subspan(first);
  if (const std::string_view complaint = Complaint(options, words.size()); !complaint.empty()) {
    ctx.reply.Error("ERR", complaint);
    return Ok();
  }
  std::vector<ScoredMember> pairs;
  pairs.reserve(words.size() / 2);
  for (size_t i = 0; i < words.size(); i += 2) {
    ASSIGN_OR_RETURN(const double score, ToScore(words[i]));
    pairs.push_back({words[i + 1], score});
  }
  return AddScores(ctx, options, pairs);
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
