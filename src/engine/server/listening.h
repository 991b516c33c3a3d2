// SPDX-License-Identifier: Apache-2.0
// The node's own listening sockets, from its parameters.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/server/event_loop.h"
#include "wire/engine_parameters.h"

namespace mikura::engine {

// Opens every socket that `bind`, the ports and `unixsocket` ask for. An address
// with '-' in front may be unavailable. Errors: the first address that cannot be used, or nothing
// to listen on.
Result<std::vector<std::shared_ptr<Listener>>> OpenListeners(
    const wire::EngineParameters& parameters);

// A Unix socket for memcached clients (memcached's -s and -a).
Result<std::shared_ptr<Listener>> OpenMemcachedSocket(const std::string& path, unsigned mode);

// A free TCP port, chosen by the system, for memcached clients (memcached's -p -1).
Result<std::shared_ptr<Listener>> OpenMemcachedAnyPort(const std::string& address, int backlog);

// Whether `address` ("127.0.0.1:51234", "[::1]:80", "/path:0") is on this machine.
bool IsLocalAddress(const std::string& address);

}  // namespace mikura::engine
