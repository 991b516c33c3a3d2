// SPDX-License-Identifier: Apache-2.0
// Authentication in the text protocol: a client's first request must be a set, whose value is
// "user password"; its key and flags mean nothing (memcached's -Y).
#pragma once

#include <cstddef>
#include <string_view>

#include "wire/memcached_binary_parser.h"
#include "wire/memcached_request.h"

namespace mikura::wire {

// The longest value that is looked at; a longer one ends the connection.
inline constexpr size_t kLoginDataMax = size_t{16} << 10;

// Parses one request of a client that has not authenticated: kAuthenticate with "user password" in
// `data`, or a kReply that refuses. Cost: one pass over its line.
MemcachedParse ParseMemcachedLogin(std::string_view input, MemcachedRequest* request);

struct MemcachedLogin {
  std::string_view user;  // empty: the text is not a user and a password
  std::string_view password;
};
// The first two words of the value.
MemcachedLogin SplitMemcachedLogin(std::string_view text);
// The parts of a message of SASL's mechanism PLAIN: [identity to act as] NUL user NUL password. The
// identity must be the user, or empty.
MemcachedLogin SplitSaslPlain(std::string_view message);

}  // namespace mikura::wire
