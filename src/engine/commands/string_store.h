// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "engine/commands/command_context.h"

namespace mikura::engine {

// Stores a string whose deadline may already have passed: then the key goes away instead. Adds the
// effect and the event "set". A replica keeps even an expired value until the primary says DEL.
// keeps_deadline: `deadline` is that of the old value, which the effect says as Redis does.
// Errors: kOutOfMemory. Cost: one copy of the value.
FaultOr<> StoreString(CommandContext& ctx, const Key& key, std::string_view value,
                      UnixMillis deadline, bool keeps_deadline = false);

}  // namespace mikura::engine
