// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/bit_operations.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

namespace mikura::engine {
namespace {

constexpr size_t kWordBytes = sizeof(uint64_t);

uint64_t LoadWord(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, kWordBytes);
  return word;
}

uint8_t ByteAt(std::string_view bytes, uint64_t index) {
  return static_cast<uint8_t>(bytes[static_cast<size_t>(index)]);
}

// The bits of one byte from `first` to `last` (0 to 7, from the most significant one).
uint8_t MaskOf(unsigned first, unsigned last) {
  return static_cast<uint8_t>((0xFFu >> first) & (0xFFu << (7 - last)));
}

uint64_t CountOnesOf(std::string_view bytes) {
  uint64_t ones = 0;
  size_t i = 0;
  for (; i + kWordBytes <= bytes.size(); i += kWordBytes) {
    ones += static_cast<unsigned>(std::popcount(LoadWord(bytes.data() + i)));
  }
  for (; i < bytes.size(); ++i) ones += static_cast<unsigned>(std::popcount(ByteAt(bytes, i)));
  return ones;
}

// Of a byte in which some bit is set.
uint64_t FirstOne(uint8_t byte) { return static_cast<unsigned>(std::countl_zero(byte)); }

// What one source adds to the words so far. `X` and `Y` as BitCombination has them; for kOne,
// `seen` holds the bits that at least one source had, and `result` those of exactly one.
template <typename Word>
void Combine(BitCombination combination, Word other, Word& result, Word& seen) {
  switch (combination) {
    case BitCombination::kAnd:
      result = result & other;
      break;
    case BitCombination::kXor:
      result = result ^ other;
      break;
    case BitCombination::kOne:
      result = static_cast<Word>((result & ~other) | (other & ~seen));
      seen = seen | other;
      break;
    case BitCombination::kNot:
      break;
    case BitCombination::kOr:
    case BitCombination::kDiff:
    case BitCombination::kDiff1:
    case BitCombination::kAndOr:
      seen = seen | other;
      break;
  }
}

template <typename Word>
Word Finish(BitCombination combination, Word first, Word result, Word seen) {
  switch (combination) {
    case BitCombination::kNot:
      return static_cast<Word>(~first);
    case BitCombination::kOr:
      return first | seen;
    case BitCombination::kDiff:
      return static_cast<Word>(first & ~seen);
    case BitCombination::kDiff1:
      return static_cast<Word>(seen & ~first);
    case BitCombination::kAndOr:
      return first & seen;
    case BitCombination::kAnd:
    case BitCombination::kXor:
    case BitCombination::kOne:
      break;
  }
  return result;
}

// The combined bits of the words that `load` gives for each source.
template <typename Word, typename Load>
Word CombineWords(BitCombination combination, size_t sources, const Load& load) {
  const Word first = load(0);
  Word result = first;
  Word seen = combination == BitCombination::kOne ? first : Word{0};
  for (size_t i = 1; i < sources; ++i) Combine<Word>(combination, load(i), result, seen);
  return Finish<Word>(combination, first, result, seen);
}

}  // namespace

uint64_t CountOnes(std::string_view bytes, uint64_t first, uint64_t last) {
  const uint64_t first_byte = first / 8;
  const uint64_t last_byte = last / 8;
  const auto begin = static_cast<unsigned>(first % 8);
  const auto end = static_cast<unsigned>(last % 8);
  const auto ones = [&](uint64_t index, uint8_t mask) {
    return static_cast<unsigned>(std::popcount(static_cast<uint8_t>(ByteAt(bytes, index) & mask)));
  };
  if (first_byte == last_byte) return ones(first_byte, MaskOf(begin, end));
  const auto middle = static_cast<size_t>(last_byte - first_byte - 1);
  return ones(first_byte, MaskOf(begin, 7)) +
         CountOnesOf(bytes.substr(static_cast<size_t>(first_byte) + 1, middle)) +
         ones(last_byte, MaskOf(0, end));
}

std::optional<uint64_t> FindBit(std::string_view bytes, bool value, uint64_t first, uint64_t last) {
  const uint64_t flip = value ? 0 : ~uint64_t{0};  // so that ones are looked for
  const uint64_t last_byte = last / 8;
  for (uint64_t i = first / 8; i <= last_byte;) {
    if (i != first / 8 && i + kWordBytes <= last_byte && (LoadWord(bytes.data() + i) ^ flip) == 0) {
      i += kWordBytes;
      continue;
    }
    const unsigned begin = i == first / 8 ? static_cast<unsigned>(first % 8) : 0;
    const unsigned end = i == last_byte ? static_cast<unsigned>(last % 8) : 7;
    const auto byte =
        static_cast<uint8_t>((ByteAt(bytes, i) ^ static_cast<uint8_t>(flip)) & MaskOf(begin, end));
    if (byte != 0) return i * 8 + FirstOne(byte);
    ++i;
  }
  return std::nullopt;
}

std::string CombineBits(BitCombination combination, std::span<const std::string_view> sources) {
  size_t longest = 0;
  size_t shortest = sources[0].size();
  for (const std::string_view source : sources) {
    longest = std::max(longest, source.size());
    shortest = std::min(shortest, source.size());
  }
  std::string result(longest, '\0');
  size_t at = 0;
  for (; at + kWordBytes <= shortest; at += kWordBytes) {
    const auto load = [&](size_t i) { return LoadWord(sources[i].data() + at); };
    const auto word = CombineWords<uint64_t>(combination, sources.size(), load);
    std::memcpy(result.data() + at, &word, kWordBytes);
  }
  for (; at < longest; ++at) {
    const auto load = [&](size_t i) {
      return at < sources[i].size() ? ByteAt(sources[i], at) : uint8_t{0};
    };
    result[at] = static_cast<char>(CombineWords<uint8_t>(combination, sources.size(), load));
  }
  return result;
}

uint64_t ReadField(std::string_view bytes, uint64_t offset, unsigned bits) {
  const uint64_t last = offset + bits - 1;
  uint64_t value = 0;
  for (uint64_t i = offset / 8; i <= last / 8; ++i) {
    const uint8_t byte = i < bytes.size() ? ByteAt(bytes, i) : uint8_t{0};
    const auto begin = i == offset / 8 ? static_cast<unsigned>(offset % 8) : 0u;
    const auto end = i == last / 8 ? static_cast<unsigned>(last % 8) : 7u;
    const unsigned width = end - begin + 1;
    const auto part = static_cast<uint64_t>(byte & MaskOf(begin, end)) >> (7 - end);
    value = width == 64 ? part : value << width | part;
  }
  return value;
}

void WriteField(char* bytes, uint64_t offset, unsigned bits, uint64_t value) {
  const uint64_t last = offset + bits - 1;
  // From the last byte, which takes the least significant bits.
  for (uint64_t i = last / 8 + 1; i-- > offset / 8;) {
    const auto begin = i == offset / 8 ? static_cast<unsigned>(offset % 8) : 0u;
    const auto end = i == last / 8 ? static_cast<unsigned>(last % 8) : 7u;
    const uint8_t mask = MaskOf(begin, end);
    const auto byte = static_cast<uint8_t>(bytes[i]);
    bytes[i] =
        static_cast<char>((byte & ~mask) | (static_cast<uint8_t>(value << (7 - end)) & mask));
    value >>= end - begin + 1;
  }
}

}  // namespace mikura::engine
