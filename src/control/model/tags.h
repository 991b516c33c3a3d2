// SPDX-License-Identifier: Apache-2.0
// The tags of a resource.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "control/model/api_error.h"

namespace mikura::control {

using Tags = std::map<std::string, std::string>;

inline constexpr size_t kTagsMax = 50;

// Adds `added` to `tags`; a key that is there gets the new value. Nothing changes on an error.
//
// too_many: the code for more than 50 tags, which differs from service to service.
// Errors:   too_many; kInvalidParameterValue for an empty key, one over 128 characters or one that
//           begins with "aws:", for a value over 256 characters, and for texts that are not UTF-8.
ApiResult<> AddTags(Tags& tags, const Tags& added, ApiErrorCode too_many);

// The number of characters of a UTF-8 text; nullopt when it is none, or holds a control character.
std::optional<size_t> CountCharacters(std::string_view text);

}  // namespace mikura::control
