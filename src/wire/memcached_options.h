// SPDX-License-Identifier: Apache-2.0
// The list behind memcached's -o, and the settings that we show and do not use.
#pragma once

#include <string_view>

#include "base/result.h"
#include "wire/memcached_flags.h"

namespace mikura::wire {

// Takes a list of options, "name", "name=value" or "no_name", with commas between. Errors: an
// option that memcached does not know or that cannot be honoured, or a value that is no number.
Status SetMemcachedOptions(std::string_view list, MemcachedFlags& flags);

// Keeps a number that only `stats settings` shows, as `name`.
Status ShowMemcachedNumber(std::string_view name, std::string_view value, MemcachedFlags& flags);

}  // namespace mikura::wire
