// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/random_picks.h"

#include <random>
#include <unordered_set>

#include "base/check.h"
#include "base/numbers.h"
#include "engine/commands/fault_replies.h"

namespace mikura::engine {
namespace {

// What a reply with repetitions may be expected to take.
constexpr uint64_t kReplyBytesMax = 512ULL << 20;
constexpr uint64_t kElementOverhead = 16;  // "$length\r\n...\r\n", about

// Floyd's method: each step adds one position, and all sets are equally likely.
std::unordered_set<uint64_t> PickFew(RandomSource& random, uint64_t size, uint64_t count) {
  std::unordered_set<uint64_t> picks;
  picks.reserve(static_cast<size_t>(count));
  for (uint64_t last = size - count; last < size; ++last) {
    if (!picks.insert(random.Below(last + 1)).second) picks.insert(last);
  }
  return picks;
}

}  // namespace

RandomSource::RandomSource() {
  std::random_device device;
  state_ = (static_cast<uint64_t>(device()) << 32) | device();
}

// SplitMix64.
uint64_t RandomSource::Next() {
  uint64_t mixed = state_ += 0x9E3779B97F4A7C15;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
  return mixed ^ (mixed >> 31);
}

std::vector<uint64_t> PickDifferent(RandomSource& random, uint64_t size, uint64_t count) {
  DCHECK(count <= size);
  if (count <= size / 2) {
    const std::unordered_set<uint64_t> picks = PickFew(random, size, count);
    return {picks.begin(), picks.end()};
  }
  const std::unordered_set<uint64_t> left_out = PickFew(random, size, size - count);
  std::vector<uint64_t> picks;
  picks.reserve(static_cast<size_t>(count));
  for (uint64_t i = 0; i < size; ++i) {
    if (!left_out.contains(i)) picks.push_back(i);
  }
  return picks;
}

bool IsReplyBounded(uint64_t count, uint64_t size, uint64_t bytes) {
  const uint64_t each = bytes / size + kElementOverhead;
  return count <= kReplyBytesMax / each;
}

std::optional<int64_t> TakeCount(CommandContext& ctx, std::string_view text) {
  const std::optional<int64_t> count = ParseInt64(text);
  if (!count) {
    const FaultReply& words = ReplyFor(Fault::kNotAnInteger);
    ctx.reply.Error(words.code, words.message);
    return std::nullopt;
  }
  if (*count == INT64_MIN) {
    ctx.reply.Error("ERR",
                    "value is out of range, value must between -9223372036854775807 and "
                    "9223372036854775807");
    return std::nullopt;
  }
  return count;
}

}  // namespace mikura::engine
