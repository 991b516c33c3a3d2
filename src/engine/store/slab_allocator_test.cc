// SPDX-License-Identifier: Apache-2.0
#include "engine/store/slab_allocator.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

#include "engine/store/size_classes.h"

namespace mikura::engine::store {
namespace {

std::unique_ptr<SlabAllocator> Make(uint64_t bytes = uint64_t{1} << 32) {
  auto made = SlabAllocator::Create(bytes);
  CHECK(made.ok());
  return std::move(*made);
}

TEST(SizeClasses, HoldEverySizeWithLittleLost) {
  for (size_t bytes = 1; bytes <= kSmallBytesMax; ++bytes) {
    const size_t taken = AllocatedBytes(bytes);
    ASSERT_GE(taken, bytes);
    ASSERT_EQ(taken % 4, 0u);
    ASSERT_LT(SmallClassOf(bytes), kSmallClasses);
    ASSERT_LE(taken - bytes, bytes <= kFineBytesMax ? (bytes < kSlotBytesMin ? 11 : 3) : bytes / 8);
    if (bytes % 64 == 0) ASSERT_EQ(taken % 64, 0u) << bytes;
  }
  for (size_t bytes = kSmallBytesMax + 1; bytes < kLargeBytesMax; bytes += bytes / 7) {
    ASSERT_GE(LargeClassBytes(LargeClassOf(bytes)), bytes);
    ASSERT_LT(LargeClassOf(bytes), kLargeClasses);
  }
  EXPECT_EQ(AllocatedBytes(51), 52u);
  EXPECT_EQ(AllocatedBytes(4096), 4096u);
}

TEST(SlabAllocator, GivesSlotsThatDoNotOverlapAndCountsThem) {
  auto slabs = Make();
  std::mt19937_64 random(7);
  struct Slot {
    SlabRef ref;
    size_t bytes;
    unsigned char fill;
  };
  std::vector<Slot> slots;
  int64_t expected = 0;
  for (int i = 0; i < 20000; ++i) {
    if (slots.empty() || random() % 5 < 3) {
      const size_t bytes = 1 + random() % (random() % 50 == 0 ? 60000 : 300);
      const auto fill = static_cast<unsigned char>(random());
      const SlabRef ref = slabs->Allocate(bytes);
      ASSERT_NE(ref, 0u);
      std::memset(slabs->At(ref), fill, bytes);
      slots.push_back({ref, bytes, fill});
      expected += static_cast<int64_t>(AllocatedBytes(bytes));
    } else {
      std::swap(slots[random() % slots.size()], slots.back());
      const Slot slot = slots.back();
      slots.pop_back();
      for (size_t b = 0; b < slot.bytes; ++b) {
        ASSERT_EQ(static_cast<unsigned char>(slabs->At(slot.ref)[b]), slot.fill);
      }
      slabs->Free(slot.ref, slot.bytes);
      expected -= static_cast<int64_t>(AllocatedBytes(slot.bytes));
    }
  }
  EXPECT_EQ(slabs->gauge().ExactBytes(), expected);
}

TEST(SlabAllocator, GivesBucketsAlignedToCacheLines) {
  auto slabs = Make();
  for (int i = 0; i < 3000; ++i) {
    const uint32_t number = slabs->AllocateBucket();
    ASSERT_NE(number, 0u);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(slabs->BucketAt(number)) % 64, 0u);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(slabs->At(slabs->Allocate(7 * 64))) % 64, 0u);
  }
}

TEST(SlabAllocator, SaysSoWhenTheRegionIsFullAndGoesOnAfterAFree) {
  auto slabs = Make(uint64_t{16} << 20);
  std::vector<SlabRef> slots;
  while (const SlabRef ref = slabs->Allocate(1000)) slots.push_back(ref);
  EXPECT_GT(slots.size(), 14000u);
  EXPECT_EQ(slabs->Allocate(1000), 0u);
  EXPECT_EQ(slabs->Allocate(100000), 0u);
  slabs->Free(slots.back(), 1000);
  EXPECT_NE(slabs->Allocate(1000), 0u);
  EXPECT_NE(slabs->AllocateBucket(), 0u);
  EXPECT_EQ(slabs->gauge().ExactBytes(), static_cast<int64_t>(slots.size() * 1024 + 64));
}

TEST(SlabAllocator, GivesWhatOneThreadFreesToAnother) {
  auto slabs = Make();
  // One thread allocates, another frees, again and again: without a way back the region would grow
  // by 1.6 MB each round.
  for (int round = 0; round < 40; ++round) {
    std::vector<SlabRef> slots;
    std::thread producer([&] {
      for (int i = 0; i < 10000; ++i) slots.push_back(slabs->Allocate(160));
    });
    producer.join();
    std::thread other([] { (void)ThreadIndex(); });  // shifts the numbers of threads
    for (const SlabRef ref : slots) slabs->Free(ref, 160);
    other.join();
  }
  EXPECT_EQ(slabs->gauge().ExactBytes(), 0);
  EXPECT_LT(slabs->span_bytes(), 2u * 10000 * 160);
}

TEST(SlabAllocator, ServesManyThreadsAtOnce) {
  auto slabs = Make();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      std::vector<std::pair<SlabRef, uint64_t>> slots;
      for (int i = 0; i < 20000; ++i) {
        if (slots.size() < 200 || random() % 2 == 0) {
          const SlabRef ref = slabs->Allocate(64);
          const uint64_t mark = random();
          std::memcpy(slabs->At(ref) + 40, &mark, sizeof mark);
          slots.emplace_back(ref, mark);
        } else {
          const auto [ref, mark] = slots.back();
          slots.pop_back();
          ASSERT_EQ(std::memcmp(slabs->At(ref) + 40, &mark, sizeof mark), 0);
          slabs->Free(ref, 64);
        }
      }
      for (const auto& [ref, mark] : slots) slabs->Free(ref, 64);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(slabs->gauge().ExactBytes(), 0);
}

TEST(MemoryGauge, IsReadableWithinItsTolerance) {
  MemoryGauge gauge;
  for (int i = 0; i < 1000; ++i) gauge.Add(3, 100);
  EXPECT_EQ(gauge.ExactBytes(), 100000);
  EXPECT_NEAR(static_cast<double>(gauge.used_bytes()), 100000, MemoryGauge::kFlushBytes);
}

TEST(DeferredFrees, FreeWhatWasAddedOutsideOfLocks) {
  BlockMemory memory;
  ValueBlock* block = ValueBlock::Create(memory, 1, ValueBlock::kDeferredBytesMin);
  block->Release();
  EXPECT_EQ(memory.gauge.ExactBytes(), 0);
  EXPECT_GE(memory.deferred.waiting_bytes(), ValueBlock::kDeferredBytesMin);
  EXPECT_GE(memory.deferred.FreeAll(), ValueBlock::kDeferredBytesMin);
  EXPECT_EQ(memory.deferred.waiting_bytes(), 0u);
}

}  // namespace
}  // namespace mikura::engine::store
