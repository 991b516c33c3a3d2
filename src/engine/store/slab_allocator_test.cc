// SPDX-License-Identifier: Apache-2.0
#include "engine/store/slab_allocator.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <random>
#include <thread>
#include <vector>

#include "engine/store/size_classes.h"
#include "engine/store/value_block.h"

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

// Bytes of the region that are resident, asked of the kernel.
size_t ResidentBytes(const SlabAllocator& slabs, uint64_t offset, size_t bytes) {
  std::vector<unsigned char> pages(bytes / kPageBytes);
  CHECK(mincore(slabs.region() + offset, bytes, pages.data()) == 0);
  size_t resident = 0;
  for (const unsigned char page : pages) resident += (page & 1) * kPageBytes;
  return resident;
}

class SlabAllocatorReturns : public testing::Test {
 protected:
  static constexpr uint64_t kBytes = uint64_t{64} << 20;

  std::vector<SlabRef> Fill(size_t slot_bytes, size_t total_bytes) {
    std::vector<SlabRef> slots;
    for (size_t i = 0; i < total_bytes / slot_bytes; ++i) {
      const SlabRef ref = slabs_->Allocate(slot_bytes);
      CHECK(ref != 0);
      std::memset(slabs_->At(ref), 0x5A, slot_bytes);
      slots.push_back(ref);
    }
    return slots;
  }
  void Free(const std::vector<SlabRef>& slots, size_t slot_bytes) {
    for (const SlabRef ref : slots) slabs_->Free(ref, slot_bytes);
  }
  size_t Resident() const { return ResidentBytes(*slabs_, 0, kBytes); }

  std::unique_ptr<SlabAllocator> slabs_ = Make(kBytes);
};

TEST_F(SlabAllocatorReturns, FreeSpansToTheMachineAndKeepsThemReadable) {
  const std::vector<SlabRef> slots = Fill(100, 20 << 20);
  EXPECT_GT(Resident(), size_t{20} << 20);
  Free(slots, 100);
  slabs_->FlushThreadCache();
  slabs_->Purge(SIZE_MAX);
  EXPECT_LT(Resident(), size_t{256} << 10);
  EXPECT_EQ(slabs_->span_bytes(), 0u);
  for (const SlabRef ref : slots) ASSERT_EQ(*slabs_->At(ref), 0);
}

TEST_F(SlabAllocatorReturns, SpansToAnyOtherClass) {
  // Each round takes more than half of the region with slots of another size.
  for (const size_t bytes : {12, 64, 100, 1000, 5000, 32768, 250}) {
    const std::vector<SlabRef> slots = Fill(bytes, size_t{40} << 20);
    Free(slots, bytes);
    slabs_->FlushThreadCache();
  }
  EXPECT_EQ(slabs_->counts().spans, 0u);
  EXPECT_EQ(slabs_->gauge().ExactBytes(), 0);
}

TEST_F(SlabAllocatorReturns, BucketsToo) {
  std::vector<uint32_t> numbers;
  for (int i = 0; i < 30000; ++i) {
    numbers.push_back(slabs_->AllocateBucket());
    std::memset(slabs_->BucketAt(numbers.back()), 1, kBucketBytes);
  }
  EXPECT_GT(Resident(), 30000 * kBucketBytes);
  for (const uint32_t number : numbers) slabs_->FreeBucket(number);
  slabs_->FlushThreadCache();
  slabs_->Purge(SIZE_MAX);
  EXPECT_LT(Resident(), size_t{256} << 10);
}

TEST_F(SlabAllocatorReturns, WhatAnIdleThreadHolds) {
  const std::vector<SlabRef> slots = Fill(200, 1 << 20);
  Free(slots, 200);
  EXPECT_GT(slabs_->counts().given_out_bytes, 0u);  // in the thread's magazines
  slabs_->TendThreadCache();                        // sees them for the first time
  EXPECT_GT(slabs_->counts().given_out_bytes, 0u);
  slabs_->TendThreadCache();
  EXPECT_EQ(slabs_->counts().given_out_bytes, 0u);
}

TEST_F(SlabAllocatorReturns, WhatAnEndedThreadHeld) {
  std::thread([&] { Free(Fill(200, 1 << 20), 200); }).join();
  EXPECT_GT(slabs_->counts().given_out_bytes, 0u);
  slabs_->FlushThreadCaches();
  EXPECT_EQ(slabs_->counts().given_out_bytes, 0u);
}

TEST_F(SlabAllocatorReturns, SparseSpansAfterWhatIsInThemHasMoved) {
  std::vector<SlabRef> slots = Fill(200, 10 << 20);
  std::vector<SlabRef> kept;
  for (size_t i = 0; i < slots.size(); ++i) {
    if (i % 10 == 0) {
      std::memcpy(slabs_->At(slots[i]), &i, sizeof i);
      kept.push_back(slots[i]);
    } else {
      slabs_->Free(slots[i], 200);
    }
  }
  slabs_->FlushThreadCache();
  const size_t spans_before = slabs_->counts().spans;
  EXPECT_GT(slabs_->BeginEvacuation(SIZE_MAX, 10), spans_before * 8 / 10);
  for (size_t i = 0; i < kept.size(); ++i) {
    if (slabs_->IsEvacuating(kept[i])) kept[i] = slabs_->Move(kept[i], 200);
    size_t number;
    std::memcpy(&number, slabs_->At(kept[i]), sizeof number);
    ASSERT_EQ(number, i * 10);
    ASSERT_FALSE(slabs_->IsEvacuating(kept[i]));
  }
  EXPECT_EQ(slabs_->EndEvacuation(), 0u);
  slabs_->Purge(SIZE_MAX);
  EXPECT_LT(slabs_->counts().waste_bytes, slabs_->counts().given_out_bytes / 5);
  EXPECT_LT(Resident(), (size_t{2} << 20));
  EXPECT_EQ(slabs_->BeginEvacuation(SIZE_MAX, 20), 0u);
  EXPECT_EQ(slabs_->gauge().ExactBytes(), static_cast<int64_t>(kept.size() * AllocatedBytes(200)));
}

TEST(MemoryGauge, IsReadableWithinItsTolerance) {
  MemoryGauge gauge;
  for (int i = 0; i < 1000; ++i) gauge.Add(3, 100);
  EXPECT_EQ(gauge.ExactBytes(), 100000);
  EXPECT_NEAR(static_cast<double>(gauge.used_bytes()), 100000, MemoryGauge::kFlushBytes);
}

TEST_F(SlabAllocatorReturns, TheMemoryOfALargeValueWhenPurged) {
  constexpr size_t kBytes = size_t{3} << 20;
  ValueBlock* block = ValueBlock::Create(*slabs_, kBytes, kBytes);
  ASSERT_NE(block, nullptr);
  std::memset(block->bytes(), 'v', kBytes);
  EXPECT_EQ(slabs_->gauge().ExactBytes(), static_cast<int64_t>(block->memory_bytes()));
  EXPECT_GE(Resident(), kBytes);
  block->Release();
  EXPECT_EQ(slabs_->gauge().ExactBytes(), 0);
  EXPECT_GE(slabs_->dirty_bytes(), kBytes);
  EXPECT_GE(slabs_->Purge(SIZE_MAX), kBytes);
  EXPECT_EQ(slabs_->dirty_bytes(), 0u);
  EXPECT_LT(Resident(), size_t{1} << 20);
}

TEST_F(SlabAllocatorReturns, ThePagesBehindAShorterValueInTheSlotOfALongerOne) {
  constexpr size_t kLong = 80 << 10;
  constexpr size_t kShort = 68 << 10;
  ASSERT_EQ(LargeClassOf(kLong), LargeClassOf(kShort));
  const SlabRef ref = slabs_->Allocate(kLong);
  std::memset(slabs_->At(ref), 'v', kLong);
  slabs_->Free(ref, kLong);
  const size_t before = Resident();
  const SlabRef again = slabs_->Allocate(kShort);
  EXPECT_EQ(again, ref);
  EXPECT_EQ(slabs_->dirty_bytes(), 0u);
  EXPECT_EQ(before - Resident(), kLong - kShort);
}

}  // namespace
}  // namespace mikura::engine::store
