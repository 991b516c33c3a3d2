// SPDX-License-Identifier: Apache-2.0
// Tables that scripts can read and not write. Lua 5.1 has none: a proxy stands for the table, is
// empty, finds everything in the table behind it, and refuses to be written. The functions that
// would look past such a proxy (next, pairs, rawget, rawset, getmetatable, setmetatable,
// table.insert ...) are ours and ask here.
#pragma once

#include "engine/scripting/lua_api.h"

namespace mikura::engine::scripting {

// Replaces the table on top of the stack by a proxy for it.
void MakeReadOnly(lua_State* lua);

// When the value at `index` is a proxy: pushes the table behind it and returns true.
bool PushBehindProxy(lua_State* lua, int index);

// Raises "Attempt to modify a readonly table" when the value at `index` is a proxy.
void RefuseReadOnly(lua_State* lua, int index);

// Takes a table and a proxy from the top of the stack: from now on the proxy stands for the table.
void PointProxyAt(lua_State* lua);

// Gives the table on top of the stack a metatable whose __index is `raise`.
void RaiseForAbsent(lua_State* lua, lua_CFunction raise);

}  // namespace mikura::engine::scripting
