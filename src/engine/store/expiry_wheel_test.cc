// SPDX-License-Identifier: Apache-2.0
#include "engine/store/expiry_wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace mikura::engine::store {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;

class WheelTest : public testing::Test {
 protected:
  std::unique_ptr<SlabAllocator> slabs_ = SlabAllocator::Create(uint64_t{1} << 30).value();
};

TEST_F(WheelTest, AnItemIsDueWithin32MillisAfterItsDeadline) {
  for (const int64_t delay : {0LL, 1LL, 100LL, 3000LL, 200'000LL, 10'000'000LL, 40'000'000'000LL}) {
    ExpiryWheel wheel(*slabs_, 17);
    ExpiryWheel::Batch batch;
    const UnixMillis deadline = kNow + delay;
    while (wheel.TakeDue(kNow, 10, batch) > 0) {
    }
    ASSERT_TRUE(wheel.Insert(5, deadline));
    // Higher levels give the item out early; its owner puts it in again.
    while (wheel.next_due() < deadline) {
      ASSERT_EQ(wheel.TakeDue(wheel.next_due(), 10, batch), 1u);
      ASSERT_TRUE(wheel.Insert(batch[0], deadline));
    }
    EXPECT_LE(wheel.next_due(), deadline + 32);
    EXPECT_EQ(wheel.TakeDue(deadline + 32, 10, batch), 1u);
    EXPECT_EQ(wheel.TakeDue(deadline + 32, 10, batch), 0u);
    EXPECT_EQ(wheel.next_due(), INT64_MAX);
  }
}

TEST_F(WheelTest, TakesNoMoreThanTheLimitAndMergesEqualItems) {
  ExpiryWheel wheel(*slabs_, 0);
  ExpiryWheel::Batch batch;
  while (wheel.TakeDue(kNow, 10, batch) > 0) {
  }
  for (uint32_t i = 0; i < 20; ++i) ASSERT_TRUE(wheel.Insert(i / 2, kNow + 500));
  EXPECT_EQ(wheel.item_count(), 20u);
  size_t taken = 0;
  while (const size_t count = wheel.TakeDue(kNow + 1000, 4, batch)) {
    EXPECT_LE(count, 2u);  // 4 items, two by two the same
    taken += count;
  }
  EXPECT_EQ(taken, 10u);
  EXPECT_EQ(wheel.item_count(), 0u);
}

TEST_F(WheelTest, HoldsAnyMixOfDeadlinesWithoutLosingOne) {
  std::mt19937_64 random(3);
  std::map<uint32_t, UnixMillis> expected;
  ExpiryWheel wheel(*slabs_, 1000);
  UnixMillis now = kNow;
  for (uint32_t i = 0; i < 5000; ++i) {
    const auto spread = static_cast<int64_t>(random() >> (random() % 40 + 24));
    expected[i] = now - 100 + spread;
    ASSERT_TRUE(wheel.Insert(i, expected[i]));
  }
  ExpiryWheel::Batch batch;
  for (int step = 0; step < 3000; ++step) {
    now += static_cast<int64_t>(random() >> (random() % 34 + 30));
    while (const size_t count = wheel.TakeDue(now, 62, batch)) {
      for (size_t i = 0; i < count; ++i) {
        if (expected.at(batch[i]) <= now) {
          expected.erase(batch[i]);
        } else {
          ASSERT_TRUE(wheel.Insert(batch[i], expected[batch[i]]));
        }
      }
    }
    ASSERT_EQ(wheel.item_count(), expected.size());
    for (const auto& [item, deadline] : expected) ASSERT_GT(deadline, now - 32);
    ASSERT_GT(wheel.next_due(), now);
  }
}

TEST_F(WheelTest, CountsItsMemoryAndGivesItBack) {
  {
    ExpiryWheel wheel(*slabs_, 0);
    for (uint32_t i = 0; i < 1000; ++i) ASSERT_TRUE(wheel.Insert(i, kNow + i * 1000));
    EXPECT_EQ(slabs_->gauge().ExactBytes(), static_cast<int64_t>(wheel.memory_bytes()));
    // 4 bytes an item, and what is not yet filled.
    EXPECT_LT(wheel.memory_bytes(), 1000u * 4 * 2 + 2000);
  }
  EXPECT_EQ(slabs_->gauge().ExactBytes(), 0);
}

}  // namespace
}  // namespace mikura::engine::store
