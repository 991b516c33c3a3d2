// SPDX-License-Identifier: Apache-2.0
#include "bench/histogram.h"

#include <gtest/gtest.h>

namespace mikura::bench {
namespace {

TEST(Histogram, AnEmptyOneHasNoQuantile) { EXPECT_EQ(Histogram().Quantile(0.5), 0u); }

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (uint64_t value = 1; value <= 50; ++value) histogram.Add(value);
  EXPECT_EQ(histogram.Quantile(0.5), 25u);
  EXPECT_EQ(histogram.Quantile(1.0), 50u);
  EXPECT_EQ(histogram.Quantile(0.0), 1u);
}

TEST(Histogram, EveryPowerOfTwoAndTheLargestValueStayWithinOneBucket) {
  for (int bit = 0; bit < 64; ++bit) {
    for (uint64_t value : {1ULL << bit, (1ULL << bit) + ((1ULL << bit) - 1)}) {
      Histogram histogram;
      histogram.Add(value);
      const uint64_t found = histogram.Quantile(0.5);
      EXPECT_LE(found, value);
      EXPECT_GE(static_cast<double>(found), static_cast<double>(value) * 0.984) << value;
    }
  }
}

TEST(Histogram, MergingCountsBothAndClearingForgets) {
  Histogram a;
  Histogram b;
  a.Add(10, 99);
  b.Add(40);
  a.Merge(b);
  EXPECT_EQ(a.count(), 100u);
  EXPECT_EQ(a.Quantile(0.99), 10u);
  EXPECT_EQ(a.Quantile(0.999), 40u);
  a.Clear();
  EXPECT_EQ(a.count(), 0u);
  EXPECT_EQ(a.Quantile(0.5), 0u);
}

}  // namespace
}  // namespace mikura::bench
