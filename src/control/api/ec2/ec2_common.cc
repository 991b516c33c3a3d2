// SPDX-License-Identifier: Apache-2.0
#include "control/api/ec2/ec2_common.h"

#include <fmt/format.h>

namespace mikura::control {

ApiResult<> CheckDryRun(const std::optional<bool>& dry_run) {
  if (dry_run.value_or(false)) return ApiError{ApiErrorCode::kDryRunOperation, {}};
  return Ok();
}

ApiResult<> CheckId(std::string_view id, const IdKind& kind) {
  if (IsResourceId(id, kind.prefix)) return Ok();
  return ApiError{kind.malformed,
                  fmt::format("Invalid id: \"{}\" (expecting \"{}...\")", id, kind.prefix)};
}

ApiError NotFound(const std::vector<std::string>& ids, const IdKind& kind) {
  if (ids.size() == 1) {
    return {kind.not_found, fmt::format("The {} '{}' does not exist", kind.noun, ids[0])};
  }
  return {kind.not_found,
          fmt::format("The {}s '{}' do not exist", kind.noun, fmt::join(ids, ", "))};
}

ApiResult<> RefuseUnsupported(bool given, std::string_view what) {
  if (!given) return Ok();
  return ApiError{ApiErrorCode::kOperationNotAvailable,
                  fmt::format("{} is not available yet.", what)};
}

ApiResult<Tags> TagsFrom(const std::vector<ec2::Tag>& tags) {
  Tags added;
  for (const ec2::Tag& tag : tags) {
    if (!added.emplace(tag.key.value_or(""), tag.value.value_or("")).second) {
      return ApiError{ApiErrorCode::kInvalidParameterValue,
                      fmt::format("Duplicate tag key '{}' specified.", tag.key.value_or(""))};
    }
  }
  Tags checked;
  RETURN_IF_ERROR(AddTags(checked, added, ApiErrorCode::kTagLimitExceeded));
  return checked;
}

ApiResult<Tags> TagsFrom(const std::vector<ec2::TagSpecification>& specifications,
                         std::string_view resource_type) {
  std::vector<ec2::Tag> tags;
  for (const ec2::TagSpecification& specification : specifications) {
    if (specification.resource_type != resource_type) {
      return ApiError{ApiErrorCode::kInvalidParameterValue,
                      fmt::format("'{}' is not a valid taggable resource type for this operation.",
                                  specification.resource_type.value_or("null"))};
    }
    tags.insert(tags.end(), specification.tags.begin(), specification.tags.end());
  }
  return TagsFrom(tags);
}

std::vector<ec2::Tag> TagsToWire(const Tags& tags) {
  std::vector<ec2::Tag> wire;
  for (const auto& [key, value] : tags) wire.push_back({.key = key, .value = value});
  return wire;
}

}  // namespace mikura::control
