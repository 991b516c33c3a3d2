// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "engine/store/fault.h"

namespace mikura::engine {

struct FaultReply {
  Fault fault;
  std::string_view code;     // "WRONGTYPE", "ERR" ...
  std::string_view message;  // the words behind the code, as Redis sends them
};

// The only place with the words of an engine error.
const FaultReply& ReplyFor(Fault fault);

}  // namespace mikura::engine
