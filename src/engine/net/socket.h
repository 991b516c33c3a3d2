// SPDX-License-Identifier: Apache-2.0
// Listening sockets, accepted connections, addresses.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace mikura::engine {

// A non-blocking TCP socket that listens on `address` (IPv4 or IPv6 literal, or a name; "*" is
// every IPv4 address). Errors: words that name the address, the port and the reason.
Result<UniqueFd> ListenTcp(const std::string& address, int port, int backlog);

// A listening Unix socket at `path`; an old socket file there is replaced, any other file refused.
// `mode` is the file's permissions, in force before the first connection can be made.
Result<UniqueFd> ListenUnix(const std::string& path, unsigned mode);

// Accepts one connection, non-blocking, close-on-exec. Invalid when there is none, with errno set.
UniqueFd Accept(int listener);

// TCP_NODELAY, and keepalive after `keepalive_seconds` (0: none).
void ConfigureConnection(int fd, int keepalive_seconds);

// "127.0.0.1:6379", "[::1]:6379", or "/path:0" for a Unix socket.
std::string PeerAddress(int fd);
std::string LocalAddress(int fd);
// The port a TCP socket is bound to, 0 otherwise.
int LocalPort(int fd);

}  // namespace mikura::engine
