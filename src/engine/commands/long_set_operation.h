// SPDX-License-Identifier: Apache-2.0
// SINTER, SUNION, SDIFF and SINTERCARD of large sets: computed from copies of them, piece by piece,
// while the keys are free for others.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/collections/set_value.h"
#include "engine/commands/command_context.h"
#include "engine/keyspace/collection_access.h"

namespace mikura::engine {

enum class PlainSetOperation : uint8_t { kIntersection, kUnion, kDifference };

struct LongSetOperation {
  PlainSetOperation operation = PlainSetOperation::kUnion;
  bool counts_only = false;  // replies with the number of members
  uint64_t limit = 0;        // of the number; 0: none
};

// False when the reply is better made at once.
bool ReplySetOperationLater(CommandContext& ctx, const LongSetOperation& request,
                            const std::vector<CollectionView<collections::SetValue>>& sets);

}  // namespace mikura::engine
