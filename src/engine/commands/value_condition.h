// SPDX-License-Identifier: Apache-2.0
// Conditions on the value of a string (IFEQ, IFNE, IFDEQ, IFDNE), and the digest that they compare.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mikura::engine {

// XXH3 of the value, as DIGEST shows it in 16 hexadecimal digits. Cost: O(size).
uint64_t DigestOf(std::string_view value);
std::string DigestText(std::string_view value);

struct ValueCondition {
  bool negated = false;
  bool by_digest = false;
  std::string_view operand;

  // The form that a word names; its operand is to be filled in.
  static std::optional<ValueCondition> OfWord(std::string_view word);
  // False when a digest is compared and `operand` is none.
  bool is_valid() const;
  bool Holds(std::string_view value) const;
};
inline constexpr std::string_view kNotADigest = "must be exactly 16 hexadecimal characters";

}  // namespace mikura::engine
