// SPDX-License-Identifier: Apache-2.0
// The C interface of Lua 5.1 as LuaJIT has it, and a few helpers on top.
//
// A Lua error leaves C++ functions by unwinding, without regard to what they hold. Functions that
// may raise one therefore keep nothing on their stack that needs a destructor: what needs memory
// lives in the LuaSandbox, in Lua values, or ends before the call that may raise.
#pragma once

extern "C" {
#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>
#include <lualib.h>
}

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mikura::engine::scripting {

// The bytes of a string (or of a number, which becomes a string in its place). They live as long
// as the value is reachable.
inline std::string_view ViewAt(lua_State* lua, int index) {
  size_t size = 0;
  const char* bytes = lua_tolstring(lua, index, &size);
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, size);
}

// The same for an argument; raises when it is neither string nor number.
inline std::string_view CheckView(lua_State* lua, int argument) {
  size_t size = 0;
  const char* bytes = luaL_checklstring(lua, argument, &size);
  return {bytes, size};
}

inline void PushView(lua_State* lua, std::string_view text) {
  lua_pushlstring(lua, text.data(), text.size());
}

// A number as an integer, limited to what int64 holds; NaN is 0. (Lua's own conversions are
// undefined there.)
inline int64_t ToInt64(double number) {
  if (!(number > -9.3e18)) return number != number ? 0 : INT64_MIN;
  if (number >= 9.2233720368547758e18) return INT64_MAX;
  if (number <= -9.2233720368547758e18) return INT64_MIN;
  return static_cast<int64_t>(number);
}

inline int64_t CheckInt64(lua_State* lua, int argument) {
  return ToInt64(luaL_checknumber(lua, argument));
}

inline int64_t OptInt64(lua_State* lua, int argument, int64_t otherwise) {
  return lua_isnoneornil(lua, argument) ? otherwise : CheckInt64(lua, argument);
}

// An index into a table or stack of Lua that does not move when values are pushed.
inline int AbsoluteIndex(lua_State* lua, int index) {
  return index > 0 || index <= LUA_REGISTRYINDEX ? index : lua_gettop(lua) + index + 1;
}

// Raises `text` as it is, without the place where it happened (luaL_error adds that).
int RaiseBare(lua_State* lua, std::string_view text);

// Pushes {err = text}: how errors of commands and of redis.* look to scripts.
void PushErrorTable(lua_State* lua, std::string_view text);
// Raises {err = text}.
int RaiseErrorTable(lua_State* lua, std::string_view text);

// Adds functions to the table on top of the stack.
inline void AddFunctions(lua_State* lua, const luaL_Reg* functions) {
  for (; functions->name != nullptr; ++functions) {
    lua_pushcfunction(lua, functions->func);
    lua_setfield(lua, -2, functions->name);
  }
}

}  // namespace mikura::engine::scripting
