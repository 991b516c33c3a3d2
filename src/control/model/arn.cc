// SPDX-License-Identifier: Apache-2.0
#include "control/model/arn.h"

#include <fmt/format.h>

#include <vector>

#include "base/numbers.h"

namespace mikura::control {

std::string ArnText(const Arn& arn) {
  return fmt::format("arn:aws:elasticache:{}:{}:{}:{}", arn.region, arn.account, arn.type,
                     arn.name);
}

ApiResult<Arn> ParseArn(std::string_view text) {
  const ApiError refused{ApiErrorCode::kInvalidARN,
                         fmt::format("{} is not the ARN of an ElastiCache resource.", text)};
  std::vector<std::string_view> parts;
  std::string_view rest = text;
  while (parts.size() < 6) {
    const size_t colon = rest.find(':');
    if (colon == rest.npos) return refused;
    parts.push_back(rest.substr(0, colon));
    rest.remove_prefix(colon + 1);
  }
  if (parts[0] != "arn" || parts[1].substr(0, 3) != "aws" || parts[2] != "elasticache") {
    return refused;
  }
  for (const std::string_view part : {parts[3], parts[4], parts[5], rest}) {
    if (part.empty() || part.find('/') != part.npos) return refused;
  }
  return Arn{std::string(parts[4]), std::string(parts[3]), std::string(parts[5]), ToLower(rest)};
}

}  // namespace mikura::control
