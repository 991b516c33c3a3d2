// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/value_condition.h"

#include <fmt/format.h>

#include <charconv>

#include "base/numbers.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace mikura::engine {
namespace {

constexpr size_t kDigestDigits = 16;

std::optional<uint64_t> ParseDigest(std::string_view text) {
  uint64_t digest = 0;
  if (text.size() != kDigestDigits) return std::nullopt;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, digest, 16);
  if (error != std::errc() || rest != end) return std::nullopt;
  return digest;
}

}  // namespace

uint64_t DigestOf(std::string_view value) { return XXH3_64bits(value.data(), value.size()); }

std::string DigestText(std::string_view value) { return fmt::format("{:016x}", DigestOf(value)); }

std::optional<ValueCondition> ValueCondition::OfWord(std::string_view word) {
  if (EqualsIgnoreCase(word, "IFEQ")) return ValueCondition{};
  if (EqualsIgnoreCase(word, "IFNE")) return ValueCondition{.negated = true};
  if (EqualsIgnoreCase(word, "IFDEQ")) return ValueCondition{.by_digest = true};
  if (EqualsIgnoreCase(word, "IFDNE")) return ValueCondition{.negated = true, .by_digest = true};
  return std::nullopt;
}

bool ValueCondition::is_valid() const { return !by_digest || ParseDigest(operand).has_value(); }

bool ValueCondition::Holds(std::string_view value) const {
  const bool equal = by_digest ? ParseDigest(operand) == DigestOf(value) : value == operand;
  return equal != negated;
}

}  // namespace mikura::engine
