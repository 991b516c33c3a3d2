// SPDX-License-Identifier: Apache-2.0
#include "engine/store/small_queue_share.h"

#include <algorithm>

namespace mikura::engine::store {
namespace {

// A step for each sixteenth of the keys that was evicted: two rounds of the cache lead from one end
// of the range to the other.
constexpr uint64_t kStepsPerRound = 16;
constexpr uint64_t kEvictionsPerStepMin = 32;
constexpr double kStepFactor = 1.1;
constexpr double kFade = 0.9;  // what was counted counts less with each step
// Fewer evictions from the main queue say nothing.
constexpr double kMainEvictionsMin = 8;
// How much more often keys of one queue must come back. Growing asks for more: few keys leave the
// main queue, so that their rate is uncertain.
constexpr double kGrowRatio = 1.5;
constexpr double kShrinkRatio = 1.2;

}  // namespace

void SmallQueueShare::CountEviction(GhostOrigin origin, uint64_t keys) {
  of(origin).evictions += 1;
  if (++evictions_since_adjusted_ < std::max(kEvictionsPerStepMin, keys / kStepsPerRound)) return;
  evictions_since_adjusted_ = 0;
  Adjust(keys);
}

void SmallQueueShare::Adjust(uint64_t keys) {
  const bool is_known = main_.evictions > kMainEvictionsMin &&
                        small_.evictions + main_.evictions > static_cast<double>(keys) / 4;
  const double small_rate = small_.ReturnRate();
  const double main_rate = main_.ReturnRate();
  if (is_known && small_rate > main_rate * kGrowRatio) {
    permille_ = std::min(kPermilleMax, permille_ * kStepFactor);
  } else if (is_known && main_rate > small_rate * kShrinkRatio) {
    permille_ = std::max(kPermilleMin, permille_ / kStepFactor);
  }
  small_.Fade(kFade);
  main_.Fade(kFade);
}

}  // namespace mikura::engine::store
