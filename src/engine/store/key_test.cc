// SPDX-License-Identifier: Apache-2.0
#include "engine/store/key.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "engine/store/crc16.h"

namespace mikura::engine {
namespace {

uint16_t Crc16BitByBit(std::string_view bytes) {
  uint32_t crc = 0;
  for (const char c : bytes) {
    crc ^= uint32_t{static_cast<uint8_t>(c)} << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & 0x8000) ? 0x11021 : 0);
    crc &= 0xFFFF;
  }
  return static_cast<uint16_t>(crc);
}

TEST(Slot, HasThePublishedValues) {
  EXPECT_EQ(Crc16("123456789"), 0x31C3);
  EXPECT_EQ(SlotOf("123456789"), 12739);
  EXPECT_EQ(SlotOf("foo"), 12182);
  EXPECT_EQ(SlotOf("bar"), 5061);
  EXPECT_EQ(SlotOf(""), 0);
}

TEST(Slot, CountsOnlyTheTagWhenThereIsOne) {
  EXPECT_EQ(SlotOf("{user1000}.following"), SlotOf("user1000"));
  EXPECT_EQ(SlotOf("foo{bar}{zap}"), SlotOf("bar"));
  EXPECT_EQ(SlotOf("foo{{bar}}zap"), SlotOf("{bar"));
}

TEST(Slot, CountsTheWholeKeyWhenTheTagIsEmptyOrOpen) {
  EXPECT_EQ(SlotOf("foo{}{bar}"), Crc16BitByBit("foo{}{bar}") % kSlotCount);
  EXPECT_EQ(SlotOf("foo{bar"), Crc16BitByBit("foo{bar") % kSlotCount);
  EXPECT_EQ(SlotOf("foo}bar"), Crc16BitByBit("foo}bar") % kSlotCount);
}

TEST(Slot, EveryFormOfTheCrcGivesTheSameForEveryLength) {
  std::mt19937_64 random(1);
  for (size_t length = 0; length <= 300; ++length) {
    for (int repeat = 0; repeat < 10; ++repeat) {
      // A heap block of exactly this size, so that a read beyond it is seen by the sanitizer.
      std::string text(length, '\0');
      for (char& c : text) c = static_cast<char>(random());
      const std::vector<char> exact(text.begin(), text.end());
      const std::string_view view(exact.data(), exact.size());
      ASSERT_EQ(Crc16(view), Crc16BitByBit(text)) << length;
      ASSERT_EQ(Crc16ByTables(view), Crc16BitByBit(text)) << length;
    }
  }
}

TEST(KeyHasher, DependsOnTheSeed) {
  EXPECT_EQ(KeyHasher(1).Hash("k"), KeyHasher(1).Hash("k"));
  EXPECT_NE(KeyHasher(1).Hash("k"), KeyHasher(2).Hash("k"));
}

TEST(Key, LiesInTheShardOfItsSlot) {
  const Key key = KeyHasher(1)("foo");
  EXPECT_EQ(key.slot, 12182);
  EXPECT_EQ(key.shard(), 12182u / 16);
}

}  // namespace
}  // namespace mikura::engine
