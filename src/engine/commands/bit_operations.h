// SPDX-License-Identifier: Apache-2.0
// Bits of strings: bit 0 is the most significant one of the first byte.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mikura::engine {

// Ones among the bits from `first` to `last`, which are there.
uint64_t CountOnes(std::string_view bytes, uint64_t first, uint64_t last);

// The first bit with this value from `first` to `last`, which are there.
std::optional<uint64_t> FindBit(std::string_view bytes, bool value, uint64_t first, uint64_t last);

// How BITOP combines its sources, the first one X, the others Y.
enum class BitCombination : uint8_t {
  kAnd,
  kOr,
  kXor,
  kNot,    // of X alone
  kDiff,   // in X and in no Y
  kDiff1,  // in some Y and not in X
  kAndOr,  // in X and in some Y
  kOne,    // in exactly one of all
};

// As long as the longest source; the others are continued with zeros.
std::string CombineBits(BitCombination combination, std::span<const std::string_view> sources);

// ---- Integers of 1 to 64 bits at any bit.
uint64_t ReadField(std::string_view bytes, uint64_t offset, unsigned bits);  // zeros behind the end
// The field lies in `bytes` as a whole.
void WriteField(char* bytes, uint64_t offset, unsigned bits, uint64_t value);

}  // namespace mikura::engine
