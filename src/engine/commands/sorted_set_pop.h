// SPDX-License-Identifier: Apache-2.0
// Taking members off an end of a sorted set, for commands that wait and those that do not.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/commands/sorted_set_support.h"

namespace mikura::engine {

enum class ScoreEnd : uint8_t { kLowest, kHighest };
using PoppedMembers = std::vector<std::pair<std::string, double>>;

// Removes up to `count` members, at least one, from a set that is not empty; in the order in which
// they go. The effect is a ZPOPMIN or ZPOPMAX of their number. Errors: kOutOfMemory.
FaultOr<PoppedMembers> PopMembers(KeyAccess& keys, const Key& key, SortedSetEdit& set, ScoreEnd end,
                                  uint64_t count);

// Stores a set from whose end so many were taken, and tells of it.
FaultOr<> CommitPop(KeyAccess& keys, const Key& key, SortedSetEdit& set, ScoreEnd end,
                    uint64_t count);

// The same without telling which: `count` members, as many as there are at most.
FaultOr<> EraseFromEnd(KeyAccess& keys, const Key& key, SortedSetEdit& set, ScoreEnd end,
                       uint64_t count);

struct ScorePopOptions {
  ScoreEnd end = ScoreEnd::kLowest;
  uint64_t count = 1;
};
// "numkeys key ... MIN | MAX [COUNT n]", from the word `first` on. nullopt after an error reply.
// Errors: kSyntax.
FaultOr<std::optional<ScorePopOptions>> ParseScorePopOptions(CommandContext& ctx, size_t first);

// Pops as the options say from a set that is not empty, and writes the key's name with pairs of
// member and score.
FaultOr<> PopWithName(KeyAccess& keys, wire::RespWriter& reply, const Key& key, SortedSetEdit& set,
                      const ScorePopOptions& options);

// A count of at least `least`. nullopt after an error reply in the words of `complaint`.
std::optional<uint64_t> TakeCountFrom(CommandContext& ctx, std::string_view text, int64_t least,
                                      std::string_view complaint);

}  // namespace mikura::engine
