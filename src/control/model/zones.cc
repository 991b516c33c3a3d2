// SPDX-License-Identifier: Apache-2.0
#include "control/model/zones.h"

#include <fmt/format.h>

#include <algorithm>

namespace mikura::control {
namespace {

struct RegionZones {
  std::string_view region;
  std::string_view letters;
};

constexpr RegionZones kSpecialRegions[] = {
    {"ap-northeast-1", "acd"}, {"ap-northeast-2", "abcd"}, {"ca-central-1", "abd"},
    {"us-east-1", "abcdef"},   {"us-west-1", "ac"},        {"us-west-2", "abcd"},
};

std::string_view LettersOf(std::string_view region) {
  for (const RegionZones& special : kSpecialRegions) {
    if (special.region == region) return special.letters;
  }
  return "abc";
}

// "ap-northeast-1" is "apne1", "us-east-1" is "use1"; a name without direction stays whole.
std::string ShortName(std::string_view region) {
  struct Direction {
    std::string_view word;
    std::string_view letters;
  };
  constexpr Direction kDirections[] = {
      {"northeast", "ne"}, {"northwest", "nw"}, {"southeast", "se"},
      {"southwest", "sw"}, {"central", "c"},    {"north", "n"},
      {"south", "s"},      {"east", "e"},       {"west", "w"},
  };
  std::string name(region);
  for (const Direction& direction : kDirections) {
    const size_t at = name.find(fmt::format("-{}-", direction.word));
    if (at == std::string::npos) continue;
    name.replace(at, direction.word.size() + 2, direction.letters);
    break;
  }
  name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
  return name;
}

}  // namespace

bool IsRegionName(std::string_view region) {
  if (region.empty() || region.size() > 32 || region[0] < 'a' || region[0] > 'z') return false;
  return std::all_of(region.begin(), region.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::vector<Zone> ZonesOfRegion(std::string_view region) {
  std::vector<Zone> zones;
  for (const char letter : LettersOf(region)) {
    zones.push_back({.name = fmt::format("{}{}", region, letter),
                     .id = fmt::format("{}-az{}", ShortName(region), letter - 'a' + 1)});
  }
  return zones;
}

bool IsZoneOfRegion(std::string_view zone, std::string_view region) {
  const auto zones = ZonesOfRegion(region);
  return std::any_of(zones.begin(), zones.end(),
                     [zone](const Zone& each) { return each.name == zone; });
}

}  // namespace mikura::control
