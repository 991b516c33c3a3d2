// SPDX-License-Identifier: Apache-2.0
// Giving scores to members, under conditions: ZADD, ZINCRBY, GEOADD.
#pragma once

#include <span>

#include "engine/commands/sorted_set_support.h"

namespace mikura::engine {

struct AddOptions {
  bool only_new = false;        // NX
  bool only_existing = false;   // XX
  bool only_greater = false;    // GT
  bool only_less = false;       // LT
  bool counts_changed = false;  // CH
  bool increments = false;      // INCR: of one pair

  // Whether what happens to a member depends on its present score.
  bool needs_old_score() const {
    return only_new || only_existing || only_greater || only_less || increments;
  }
};

// Applies the pairs to the row's first key and replies: with the number of new members (CH: of
// changed ones too), or with the sum (INCR), null when a condition did not hold. The effect is a
// ZADD of what changed.
FaultOr<> AddScores(CommandContext& ctx, const AddOptions& options,
                    std::span<const ScoredMember> pairs);

}  // namespace mikura::engine
