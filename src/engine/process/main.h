// SPDX-License-Identifier: Apache-2.0
// The engine role: `mikura engine` and `mikura memcached`.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"

namespace mikura::engine {

// `arguments`: what stands behind `mikura engine`, as redis-server takes it: [FILE] --name value
// ... Returns the exit status of the process; runs until a signal or SHUTDOWN.
int EngineMain(std::span<const std::string_view> arguments);

// `arguments`: memcached's own flags.
int MemcachedMain(std::span<const std::string_view> arguments);

// Says what is wrong with the rules of a user ("on ~app:* +@read"), in the words of ACL SETUSER.
Status CheckAccessRules(std::string_view rules);

}  // namespace mikura::engine
