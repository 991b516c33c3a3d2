// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "engine/scripting/libraries.h"
#include "engine/scripting/read_only.h"
#include "engine/scripting/sandbox.h"

namespace mikura::engine::scripting {
namespace {

// Between 0 and 1; the same numbers after the same seed as in Redis.
double RandomShare(lua_State* lua) {
  constexpr uint32_t kMax = INT32_MAX;
  return static_cast<double>(LuaSandbox::Of(lua).NextRandom() % kMax) / kMax;
}

int Random(lua_State* lua) {
  const double share = RandomShare(lua);
  switch (lua_gettop(lua)) {
    case 0:
      lua_pushnumber(lua, share);
      return 1;
    case 1: {
      const auto high = static_cast<double>(CheckInt64(lua, 1));
      luaL_argcheck(lua, high >= 1, 1, "interval is empty");
      lua_pushnumber(lua, std::floor(share * high) + 1);
      return 1;
    }
    case 2: {
      const auto low = static_cast<double>(CheckInt64(lua, 1));
      const auto high = static_cast<double>(CheckInt64(lua, 2));
      luaL_argcheck(lua, low <= high, 2, "interval is empty");
      lua_pushnumber(lua, std::floor(share * (high - low + 1)) + low);
      return 1;
    }
    default:
      return luaL_error(lua, "wrong number of arguments");
  }
}

int RandomSeed(lua_State* lua) {
  LuaSandbox::Of(lua).SeedRandom(CheckInt64(lua, 1));
  return 0;
}

constexpr const char* kOfLua[] = {"abs",   "acos", "asin",  "atan",  "atan2", "ceil",  "cos",
                                  "cosh",  "deg",  "exp",   "floor", "fmod",  "frexp", "huge",
                                  "ldexp", "log",  "log10", "max",   "min",   "modf",  "pi",
                                  "pow",   "rad",  "sin",   "sinh",  "sqrt",  "tan",   "tanh"};

}  // namespace

void AddMathLibrary(lua_State* lua, int globals) {
  lua_newtable(lua);
  lua_getfield(lua, LUA_GLOBALSINDEX, "math");
  for (const char* name : kOfLua) {
    lua_getfield(lua, -1, name);
    lua_setfield(lua, -3, name);
  }
  lua_getfield(lua, -1, "fmod");
  lua_setfield(lua, -3, "mod");  // its name before Lua 5.1
  lua_pop(lua, 1);
  lua_pushcfunction(lua, Random);
  lua_setfield(lua, -2, "random");
  lua_pushcfunction(lua, RandomSeed);
  lua_setfield(lua, -2, "randomseed");
  MakeReadOnly(lua);
  lua_setfield(lua, globals, "math");
}

}  // namespace mikura::engine::scripting
