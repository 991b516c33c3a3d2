// SPDX-License-Identifier: Apache-2.0
// cjson. Ours rather than the library that Redis has inside: that one ends the process when it
// runs out of memory.
#include "engine/scripting/json_codec.h"
#include "engine/scripting/libraries.h"
#include "engine/scripting/read_only.h"
#include "engine/scripting/sandbox.h"

namespace mikura::engine::scripting {
namespace {

JsonSettings& SettingsOf(lua_State* lua) { return LuaSandbox::Of(lua).json; }

void CheckCount(lua_State* lua, int most) {
  luaL_argcheck(lua, lua_gettop(lua) <= most, most + 1, "found too many arguments");
  lua_settop(lua, most);
}

// Each of these changes a setting when the argument is there, and pushes its value.
void IntegerSetting(lua_State* lua, int argument, int& setting, int least, int most) {
  if (!lua_isnil(lua, argument)) {
    const int64_t value = CheckInt64(lua, argument);
    if (value < least || value > most) {
      lua_pushfstring(lua, "expected integer between %d and %d", least, most);
      luaL_argerror(lua, 1, lua_tostring(lua, -1));  // the first, as Redis says
    }
    setting = static_cast<int>(value);
  }
  lua_pushinteger(lua, setting);
}

void BooleanSetting(lua_State* lua, int argument, bool& setting) {
  if (!lua_isnil(lua, argument)) {
    static constexpr const char* kNames[] = {"off", "on", nullptr};
    setting = lua_isboolean(lua, argument) ? lua_toboolean(lua, argument) != 0
                                           : luaL_checkoption(lua, argument, nullptr, kNames) == 1;
  }
  lua_pushboolean(lua, setting);
}

int NumbersSetting(lua_State* lua, InvalidNumbers& setting, const char* const* names) {
  CheckCount(lua, 1);
  if (lua_isboolean(lua, 1)) {
    setting = lua_toboolean(lua, 1) != 0 ? InvalidNumbers::kAccepted : InvalidNumbers::kRefused;
  } else if (!lua_isnil(lua, 1)) {
    setting = static_cast<InvalidNumbers>(luaL_checkoption(lua, 1, nullptr, names));
  }
  switch (setting) {
    case InvalidNumbers::kRefused:
      lua_pushboolean(lua, 0);
      break;
    case InvalidNumbers::kAccepted:
      lua_pushboolean(lua, 1);
      break;
    case InvalidNumbers::kNull:
      lua_pushliteral(lua, "null");
      break;
  }
  return 1;
}

int EncodeSparseArray(lua_State* lua) {
  JsonSettings& settings = SettingsOf(lua);
  CheckCount(lua, 3);
  BooleanSetting(lua, 1, settings.sparse_convert);
  IntegerSetting(lua, 2, settings.sparse_ratio, 0, INT32_MAX);
  IntegerSetting(lua, 3, settings.sparse_safe, 0, INT32_MAX);
  return 3;
}

int EncodeMaxDepth(lua_State* lua) {
  CheckCount(lua, 1);
  IntegerSetting(lua, 1, SettingsOf(lua).encode_depth_max, 1, INT32_MAX);
  return 1;
}

int DecodeMaxDepth(lua_State* lua) {
  CheckCount(lua, 1);
  IntegerSetting(lua, 1, SettingsOf(lua).decode_depth_max, 1, INT32_MAX);
  return 1;
}

int EncodeNumberPrecision(lua_State* lua) {
  CheckCount(lua, 1);
  IntegerSetting(lua, 1, SettingsOf(lua).number_digits, 1, 14);
  return 1;
}

int EncodeKeepBuffer(lua_State* lua) {
  CheckCount(lua, 1);
  BooleanSetting(lua, 1, SettingsOf(lua).keep_buffer);
  return 1;
}

int EncodeInvalidNumbers(lua_State* lua) {
  static constexpr const char* kNames[] = {"off", "on", "null", nullptr};
  return NumbersSetting(lua, SettingsOf(lua).encode_invalid, kNames);
}

int DecodeInvalidNumbers(lua_State* lua) {
  static constexpr const char* kNames[] = {"off", "on", nullptr};
  return NumbersSetting(lua, SettingsOf(lua).decode_invalid, kNames);
}

// The same library: a run has one set of settings, not one per instance.
int New(lua_State* lua) {
  lua_getfield(lua, LUA_GLOBALSINDEX, "cjson");
  return 1;
}

constexpr luaL_Reg kFunctions[] = {{"decode", DecodeJson},
                                   {"decode_invalid_numbers", DecodeInvalidNumbers},
                                   {"decode_max_depth", DecodeMaxDepth},
                                   {"encode", EncodeJson},
                                   {"encode_invalid_numbers", EncodeInvalidNumbers},
                                   {"encode_keep_buffer", EncodeKeepBuffer},
                                   {"encode_max_depth", EncodeMaxDepth},
                                   {"encode_number_precision", EncodeNumberPrecision},
                                   {"encode_sparse_array", EncodeSparseArray},
                                   {"new", New},
                                   {nullptr, nullptr}};

}  // namespace

void AddJsonLibrary(lua_State* lua, int globals) {
  lua_newtable(lua);
  AddFunctions(lua, kFunctions);
  lua_pushlightuserdata(lua, nullptr);
  lua_setfield(lua, -2, "null");
  lua_pushliteral(lua, "cjson");
  lua_setfield(lua, -2, "_NAME");
  lua_pushliteral(lua, "2.1.0");
  lua_setfield(lua, -2, "_VERSION");
  MakeReadOnly(lua);
  lua_setfield(lua, globals, "cjson");
}

}  // namespace mikura::engine::scripting
