// SPDX-License-Identifier: Apache-2.0
// Choosing among the elements of a collection, for SRANDMEMBER and its like.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/commands/command_context.h"

namespace mikura::engine {

// Numbers of even quality, seeded by the machine. Cheap to make: one for each command.
class RandomSource {
 public:
  RandomSource();
  uint64_t Next();
  // In [0, end); end > 0.
  uint64_t Below(uint64_t end) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(Next()) * end >> 64);
  }

 private:
  uint64_t state_;
};

// `count` different positions in [0, size), count <= size: all sets of positions are equally
// likely. In no particular order. Cost: O(count).
std::vector<uint64_t> PickDifferent(RandomSource& random, uint64_t size, uint64_t count);

// Whether so many of `size` elements are better chosen by a walk over all (SampleWalk) than by
// PickDifferent().
inline bool IsLargeSample(uint64_t count, uint64_t size) { return count > size / 32; }

// Whether a reply of `count` elements, of a collection of `size` elements in `bytes` of memory, is
// expected to stay within bounds. With repetitions, a client's number says nothing about what
// there is.
bool IsReplyBounded(uint64_t count, uint64_t size, uint64_t bytes);

// A count as SRANDMEMBER and its like take it: any but the least integer, whose opposite does not
// exist. Empty after an error reply.
std::optional<int64_t> TakeCount(CommandContext& ctx, std::string_view text);

}  // namespace mikura::engine
