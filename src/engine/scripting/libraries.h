// SPDX-License-Identifier: Apache-2.0
// What scripts find among the globals. Each function pushes nothing and is called once per state,
// in a protected call; `globals` is the index of the table that becomes the globals.
#pragma once

#include "engine/scripting/lua_api.h"

namespace mikura::engine::scripting {

// Of LuaJIT's own libraries what Redis has too, with ours in place of what cannot be bounded:
// assert ... xpcall, coroutine, math, bit (base_library.cc, table_library.cc, string_library.cc).
void AddBaseLibrary(lua_State* lua, int globals);
void AddCoroutineLibrary(lua_State* lua, int globals);
void AddTableLibrary(lua_State* lua, int globals);
void AddStringLibrary(lua_State* lua, int globals);
// getmetatable; after the string library, which makes what it shows of strings.
void AddMetatableOfStrings(lua_State* lua, int globals);
void AddMathLibrary(lua_State* lua, int globals);
void AddBitLibrary(lua_State* lua, int globals);

void AddJsonLibrary(lua_State* lua, int globals);         // cjson
void AddMessagePackLibrary(lua_State* lua, int globals);  // cmsgpack
void AddStructLibrary(lua_State* lua, int globals);       // struct

// redis and server, for scripts or for functions that run.
void AddRedisLibrary(lua_State* lua, int globals);
// redis and server as a library sees them while it is loaded; `raise` is for what it asks in vain.
void AddLoadingLibrary(lua_State* lua, int globals, lua_CFunction raise);
// redis.register_function (function_loading.cc).
int RegisterFunction(lua_State* lua);

}  // namespace mikura::engine::scripting
