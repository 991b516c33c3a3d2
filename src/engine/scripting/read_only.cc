// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/read_only.h"

namespace mikura::engine::scripting {
namespace {

constexpr std::string_view kRefusal = "Attempt to modify a readonly table";

// Its address is the key under which a proxy's metatable holds the table behind: scripts cannot
// make one.
constexpr char kBehind = 0;

void PushBehindKey(lua_State* lua) { lua_pushlightuserdata(lua, const_cast<char*>(&kBehind)); }

int RefuseAssignment(lua_State* lua) { return luaL_error(lua, "%s", kRefusal.data()); }

}  // namespace

void MakeReadOnly(lua_State* lua) {
  lua_newtable(lua);           // table, proxy
  lua_createtable(lua, 0, 3);  // table, proxy, metatable
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, RefuseAssignment);
  lua_setfield(lua, -2, "__newindex");
  PushBehindKey(lua);
  lua_pushvalue(lua, -4);
  lua_rawset(lua, -3);
  lua_setmetatable(lua, -2);
  lua_replace(lua, -2);
}

void PointProxyAt(lua_State* lua) {
  lua_getmetatable(lua, -1);  // table, proxy, metatable
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  PushBehindKey(lua);
  lua_pushvalue(lua, -4);
  lua_rawset(lua, -3);
  lua_pop(lua, 3);
}

void RaiseForAbsent(lua_State* lua, lua_CFunction raise) {
  lua_createtable(lua, 0, 1);
  lua_pushcfunction(lua, raise);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, -2);
}

bool PushBehindProxy(lua_State* lua, int index) {
  index = AbsoluteIndex(lua, index);
  if (lua_type(lua, index) != LUA_TTABLE || lua_getmetatable(lua, index) == 0) return false;
  PushBehindKey(lua);
  lua_rawget(lua, -2);
  lua_replace(lua, -2);
  if (lua_istable(lua, -1)) return true;
  lua_pop(lua, 1);
  return false;
}

void RefuseReadOnly(lua_State* lua, int index) {
  if (PushBehindProxy(lua, index)) RaiseBare(lua, kRefusal);
}

}  // namespace mikura::engine::scripting
