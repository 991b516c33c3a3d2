// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/bit_operations.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace mikura::engine {
namespace {

std::string RandomBytes(std::mt19937& random, size_t size) {
  std::string bytes(size, '\0');
  // Long runs of equal bytes, so that words are skipped.
  for (char& byte : bytes) {
    byte = static_cast<char>(random() % 8 == 0 ? random() : (random() % 2 == 0 ? 0 : 0xFF));
  }
  return bytes;
}

bool BitOf(std::string_view bytes, uint64_t bit) {
  if (bit / 8 >= bytes.size()) return false;
  return (static_cast<uint8_t>(bytes[bit / 8]) >> (7 - bit % 8) & 1) != 0;
}

TEST(BitOperations, CountAndFindAgreeWithALookAtEveryBit) {
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = RandomBytes(random, 1 + random() % 60);
    if (round % 3 == 0) bytes.assign(bytes.size(), round % 2 == 0 ? '\0' : '\xFF');
    const uint64_t first = random() % (bytes.size() * 8);
    const uint64_t last = first + random() % (bytes.size() * 8 - first);
    uint64_t ones = 0;
    std::optional<uint64_t> one;
    std::optional<uint64_t> zero;
    for (uint64_t bit = first; bit <= last; ++bit) {
      const bool value = BitOf(bytes, bit);
      ones += value ? 1 : 0;
      std::optional<uint64_t>& found = value ? one : zero;
      if (!found) found = bit;
    }
    ASSERT_EQ(CountOnes(bytes, first, last), ones);
    ASSERT_EQ(FindBit(bytes, true, first, last), one);
    ASSERT_EQ(FindBit(bytes, false, first, last), zero);
  }
}

bool Expected(BitCombination combination, const std::vector<std::string_view>& sources,
              uint64_t bit) {
  const bool x = BitOf(sources[0], bit);
  size_t ones = x ? 1 : 0;
  for (size_t i = 1; i < sources.size(); ++i) ones += BitOf(sources[i], bit) ? 1 : 0;
  const bool some_y = ones > (x ? 1u : 0u);
  switch (combination) {
    case BitCombination::kAnd:
      return ones == sources.size();
    case BitCombination::kOr:
      return ones > 0;
    case BitCombination::kXor:
      return ones % 2 == 1;
    case BitCombination::kNot:
      return !x;
    case BitCombination::kDiff:
      return x && !some_y;
    case BitCombination::kDiff1:
      return !x && some_y;
    case BitCombination::kAndOr:
      return x && some_y;
    case BitCombination::kOne:
      return ones == 1;
  }
  return false;
}

TEST(BitOperations, CombinationsAreThoseOfEachBit) {
  std::mt19937 random(4);
  for (int round = 0; round < 800; ++round) {
    const auto combination = static_cast<BitCombination>(round % 8);
    const size_t count = combination == BitCombination::kNot ? 1 : 1 + random() % 4;
    std::vector<std::string> bytes;
    for (size_t i = 0; i < count; ++i) bytes.push_back(RandomBytes(random, random() % 40));
    const std::vector<std::string_view> sources(bytes.begin(), bytes.end());
    const std::string result = CombineBits(combination, sources);
    size_t longest = 0;
    for (const std::string& source : bytes) longest = std::max(longest, source.size());
    ASSERT_EQ(result.size(), longest);
    for (uint64_t bit = 0; bit < result.size() * 8; ++bit) {
      ASSERT_EQ(BitOf(result, bit), Expected(combination, sources, bit));
    }
  }
}

TEST(BitOperations, AFieldIsReadAsItWasWrittenAndNothingElseChanges) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 5000; ++round) {
    const auto bits = static_cast<unsigned>(1 + random() % 64);
    const uint64_t offset = random() % 100;
    std::string bytes(24, round % 2 == 0 ? '\0' : '\xFF');
    const uint64_t value = bits == 64 ? random() : random() & ((uint64_t{1} << bits) - 1);
    WriteField(bytes.data(), offset, bits, value);
    ASSERT_EQ(ReadField(bytes, offset, bits), value);
    for (uint64_t bit = 0; bit < bytes.size() * 8; ++bit) {
      if (bit >= offset && bit < offset + bits) continue;
      ASSERT_EQ(BitOf(bytes, bit), round % 2 != 0);
    }
  }
}

TEST(BitOperations, BehindTheEndOfTheStringAFieldHasZeros) {
  EXPECT_EQ(ReadField("\xFF", 4, 8), 0xF0u);
  EXPECT_EQ(ReadField("\xFF", 8, 64), 0u);
  EXPECT_EQ(ReadField("", uint64_t{1} << 40, 64), 0u);
}

}  // namespace
}  // namespace mikura::engine
