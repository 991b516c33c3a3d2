// SPDX-License-Identifier: Apache-2.0
#include "control/model/placement.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/check.h"

namespace mikura::control {

ApiResult<std::vector<std::string>> PlaceNodes(int64_t node_count,
                                               const std::vector<std::string>& wanted,
                                               const std::vector<std::string>& available,
                                               bool spread) {
  CHECK(!available.empty());
  const auto count = static_cast<size_t>(node_count);
  if (!wanted.empty() && wanted.size() != count) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    fmt::format("{} availability zones were given for {} nodes: the counts must "
                                "be equal.",
                                wanted.size(), count)};
  }
  for (const std::string& zone : wanted) {
    if (std::find(available.begin(), available.end(), zone) != available.end()) continue;
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    fmt::format("{} is not a valid availability zone here: the subnet group or "
                                "region has {}.",
                                zone, fmt::join(available, ", "))};
  }
  if (!wanted.empty()) return wanted;
  std::vector<std::string> zones;
  for (size_t i = 0; i < count; ++i) zones.push_back(available[spread ? i % available.size() : 0]);
  return zones;
}

}  // namespace mikura::control
