// SPDX-License-Identifier: Apache-2.0
// Names of ElastiCache resources across accounts and regions.
#pragma once

#include <string>
#include <string_view>

#include "control/model/api_error.h"

namespace mikura::control {

struct Arn {
  std::string account;
  std::string region;
  std::string type;  // "replicationgroup", "cluster", "subnetgroup", ...
  std::string name;
};

// "arn:aws:elasticache:<region>:<account>:<type>:<name>".
std::string ArnText(const Arn& arn);
// Errors: kInvalidARN.
ApiResult<Arn> ParseArn(std::string_view text);

}  // namespace mikura::control
