// SPDX-License-Identifier: Apache-2.0
// Availability zones: every region name has some, whether AWS knows the region or not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mikura::control {

struct Zone {
  std::string name;  // "ap-northeast-1a"
  std::string id;    // "apne1-az1"
};

// Lower-case letters, digits and hyphens, 1 to 32 characters, beginning with a letter.
bool IsRegionName(std::string_view region);

// The zones of a region in order: a, b, c, except where AWS gives a new account others
// (ap-northeast-1: a, c, d).
std::vector<Zone> ZonesOfRegion(std::string_view region);

bool IsZoneOfRegion(std::string_view zone, std::string_view region);

}  // namespace mikura::control
