// SPDX-License-Identifier: Apache-2.0
// One RESP2 reply of an engine's admin socket.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mikura::control {

struct AdminReply {
  enum class Kind { kText, kError, kArray };  // kText: simple string, bulk string or integer
  Kind kind = Kind::kText;
  std::string text;                // of kText and kError; a null bulk string is empty
  std::vector<std::string> items;  // of kArray; nested arrays are flattened
  std::vector<AdminReply> parts;   // of kArray: the same, as it came
};

enum class ReplyProgress { kComplete, kIncomplete, kMalformed };

// Reads one reply from the start of `bytes`.
ReplyProgress ParseAdminReply(std::string_view bytes, AdminReply& reply);

// A request: an array of bulk strings.
std::string EncodeAdminRequest(const std::vector<std::string>& arguments);

}  // namespace mikura::control
