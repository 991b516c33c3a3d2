// SPDX-License-Identifier: Apache-2.0
// The naming rules of ElastiCache. Names are stored in lower case.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "control/model/api_error.h"

namespace mikura::control {

// 1 to 40 letters, digits and hyphens; begins with a letter, no "--", no "-" at the end.
// Returns it in lower case. Errors: kInvalidParameterValue.
ApiResult<std::string> ReplicationGroupIdOf(std::string_view text);
// As above, 1 to 50 characters.
ApiResult<std::string> CacheClusterIdOf(std::string_view text);
// As above, 1 to 255 characters. So no group of a user is called as a default one
// ("default.redis7").
ApiResult<std::string> CacheParameterGroupNameOf(std::string_view text);
// As for replication groups, of a user or a user group.
ApiResult<std::string> AccessIdOf(std::string_view parameter, std::string_view text);
// As above, 1 to 255 characters: never the name of an automated snapshot, which holds a dot.
// parameter: whose value it is, for the error.
ApiResult<std::string> SnapshotNameOf(std::string_view parameter, std::string_view text);
// 1 to 255 letters, digits, hyphens, dots, underscores and blanks, not "default".
ApiResult<std::string> CacheSubnetGroupNameOf(std::string_view text);

// "demo", 1 -> "demo-001": the cache cluster of a replication group's member, counted from 1.
std::string MemberClusterId(std::string_view replication_group_id, int64_t ordinal);
// 1 -> "0001".
std::string FourDigits(int64_t ordinal);

// "ddd:hh24:mi-ddd:hh24:mi" of at least 60 minutes, in lower case.
// Errors: kInvalidParameterValue.
ApiResult<std::string> MaintenanceWindowOf(std::string_view text);
// "hh24:mi-hh24:mi" of at least 60 minutes. Errors: kInvalidParameterValue.
ApiResult<std::string> SnapshotWindowOf(std::string_view text);

}  // namespace mikura::control
