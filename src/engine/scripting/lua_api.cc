// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/lua_api.h"

namespace mikura::engine::scripting {

int RaiseBare(lua_State* lua, std::string_view text) {
  PushView(lua, text);
  return lua_error(lua);
}

void PushErrorTable(lua_State* lua, std::string_view text) {
  lua_createtable(lua, 0, 2);
  PushView(lua, text);
  lua_setfield(lua, -2, "err");
}

int RaiseErrorTable(lua_State* lua, std::string_view text) {
  PushErrorTable(lua, text);
  return lua_error(lua);
}

}  // namespace mikura::engine::scripting
