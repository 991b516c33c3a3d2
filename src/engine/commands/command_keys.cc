// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/command_keys.h"

#include <algorithm>
#include <optional>

#include "base/numbers.h"

namespace mikura::engine {
namespace {

// The word where the search of `spec` begins.
std::optional<int> BeginOf(const KeySpec& spec, std::span<const std::string_view> args) {
  const auto words = static_cast<int>(args.size());
  if (spec.keyword.empty()) {
    if (spec.index >= words) return std::nullopt;
    return spec.index;
  }
  const bool backwards = spec.keyword_from < 0;
  const int from = backwards ? words + spec.keyword_from : spec.keyword_from;
  for (int i = from; i > 0 && i < words; i += backwards ? -1 : 1) {
    if (EqualsIgnoreCase(args[static_cast<size_t>(i)], spec.keyword)) {
      if (i + 1 >= words) return std::nullopt;
      return i + 1;
    }
  }
  return std::nullopt;
}

void AddBySpec(const KeySpec& spec, uint32_t number, std::span<const std::string_view> args,
               std::vector<KeyPlace>& places) {
  if (spec.is_unknown) return;
  const std::optional<int> begin = BeginOf(spec, args);
  if (!begin) return;
  const auto words = static_cast<int64_t>(args.size());
  int64_t first = *begin;
  int64_t last = 0;
  if (spec.number_at >= 0) {
    const int64_t at = first + spec.number_at;
    if (at >= words) return;
    const std::optional<int64_t> count = ParseInt64(args[static_cast<size_t>(at)]);
    first += spec.first_after_number;
    if (!count || *count <= 0 || *count > (words - first + spec.step - 1) / spec.step) return;
    last = first + (*count - 1) * spec.step;
  } else if (spec.last >= 0) {
    last = first + spec.last;
  } else {
    last = words + spec.last;
    // "limit 2": of what is left from the beginning on, the first half are keys.
    if (spec.limit >= 2) last = first + (words - first) / spec.limit + spec.last;
  }
  last = std::min(last, words - 1);
  for (int64_t i = first; i <= last; i += spec.step) {
    places.push_back({static_cast<uint32_t>(i), number});
  }
}

}  // namespace

void FindKeyPlaces(const CommandSpec& spec, std::span<const std::string_view> args,
                   std::vector<KeyPlace>& places) {
  if (spec.find_keys != nullptr) return spec.find_keys(args, places);
  if (!spec.key_specs.empty()) {
    for (uint32_t i = 0; i < spec.key_specs.size(); ++i) {
      AddBySpec(spec.key_specs[i], i, args, places);
    }
    return;
  }
  if (spec.keys.step == 0) return;
  const auto words = static_cast<int>(args.size());
  const int last =
      std::min(spec.keys.last < 0 ? words + spec.keys.last : spec.keys.last, words - 1);
  if (last == spec.keys.first) return places.push_back({static_cast<uint32_t>(last), 0});
  const bool has_own_access = spec.key_access.find(';') != std::string_view::npos;
  uint32_t number = 0;
  for (int i = spec.keys.first; i <= last; i += spec.keys.step) {
    places.push_back({static_cast<uint32_t>(i), has_own_access ? number++ : 0});
  }
}

void FindKeys(const CommandSpec& spec, std::span<const std::string_view> args,
              const KeyHasher& hasher, std::vector<KeyPlace>& scratch, std::vector<Key>& keys) {
  scratch.clear();
  FindKeyPlaces(spec, args, scratch);
  for (const KeyPlace& place : scratch) keys.push_back(hasher(args[place.word]));
}

}  // namespace mikura::engine
