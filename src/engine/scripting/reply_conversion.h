// SPDX-License-Identifier: Apache-2.0
// Between replies and Lua values, as Redis converts them in both directions.
#pragma once

#include <string_view>

#include "engine/scripting/lua_api.h"
#include "wire/resp_writer.h"

namespace mikura::engine::scripting {

// A field of the error tables of commands, which Redis has too: true.
inline constexpr char kCountedErrorField[] = "ignore_error_stats_update";

// Pushes what the one reply in `resp` is to a script; raises when it is nested too deeply. Replies
// are the host's own bytes: a malformed one is a bug, and becomes false.
void PushReply(lua_State* lua, std::string_view resp);

// Writes the value on top of the stack as one reply, and pops it. `script_resp` is what the script
// chose with redis.setresp: it decides about booleans. Looks at no metatable. Raises when the reply
// gets out of bounds or the script is killed; part of it may be written by then.
void WriteValue(lua_State* lua, int script_resp, wire::RespWriter& reply);

}  // namespace mikura::engine::scripting
