// SPDX-License-Identifier: Apache-2.0
// How far a node has taken over its parameter group, as was observed; written by the reconciler.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mikura::control {

struct NodeParameters {
  std::string group;
  std::string version;               // CacheParameterGroup::version
  std::vector<std::string> pending;  // parameters that act from the node's next start on

  bool operator==(const NodeParameters&) const = default;
};

std::string ToJson(const NodeParameters& parameters);
Result<NodeParameters> NodeParametersFromJson(std::string_view text);

}  // namespace mikura::control
