// SPDX-License-Identifier: Apache-2.0
// redis.register_function, in both of its forms. What it collects lies in the sandbox, for errors
// leave these functions without destroying anything.
#include "engine/scripting/libraries.h"
#include "engine/scripting/sandbox.h"
#include "engine/scripting/script.h"

namespace mikura::engine::scripting {
namespace {

int RaiseNamed(lua_State* lua, const char* text) {
  lua_pushfstring(lua, "ERR %s", text);
  return RaiseErrorTable(lua, ViewAt(lua, -1));
}

// The array at `index` as a sum of flags.
uint32_t CheckFlags(lua_State* lua, int index) {
  if (!lua_istable(lua, index)) {
    RaiseNamed(lua,
               "flags argument to redis.register_function must be a table representing function "
               "flags");
  }
  uint32_t flags = 0;
  for (int i = 1;; ++i) {
    lua_rawgeti(lua, index, i);
    if (lua_isnil(lua, -1)) break;
    const uint32_t flag = lua_type(lua, -1) == LUA_TSTRING ? ScriptFlagOf(ViewAt(lua, -1)) : 0;
    if (flag == 0) RaiseNamed(lua, "unknown flag given");
    flags |= flag;
    lua_pop(lua, 1);
  }
  lua_pop(lua, 1);
  return flags;
}

// Places of the arguments after reading, whichever form they came in.
enum Argument : int { kName = 1, kCallback = 2, kDescription = 3, kLast = 3 };

// Keeps the value on top (popped) as that argument.
void Keep(lua_State* lua, Argument argument) { lua_replace(lua, argument); }

void CheckText(lua_State* lua, const char* error) {
  if (lua_isstring(lua, -1) == 0) RaiseNamed(lua, error);
}

// One field of the table form: key below value on top of the stack; the value is popped.
void ReadField(lua_State* lua, uint32_t& flags) {
  if (lua_type(lua, -2) != LUA_TSTRING) {
    RaiseNamed(lua, "named argument key given to redis.register_function is not a string");
  }
  const std::string_view key = ViewAt(lua, -2);
  if (key == "function_name") {
    CheckText(lua, "function_name argument given to redis.register_function must be a string");
    Keep(lua, kName);
  } else if (key == "description") {
    CheckText(lua, "description argument given to redis.register_function must be a string");
    Keep(lua, kDescription);
  } else if (key == "callback") {
    if (!lua_isfunction(lua, -1)) {
      RaiseNamed(lua, "callback argument given to redis.register_function must be a function");
    }
    Keep(lua, kCallback);
  } else if (key == "flags") {
    flags = CheckFlags(lua, lua_gettop(lua));
    lua_pop(lua, 1);
  } else {
    RaiseNamed(lua, "unknown argument given to redis.register_function");
  }
}

uint32_t ReadNamedArguments(lua_State* lua) {
  if (!lua_istable(lua, 1)) {
    RaiseNamed(lua,
               "calling redis.register_function with a single argument is only applicable to Lua "
               "table (representing named arguments).");
  }
  uint32_t flags = 0;
  for (int i = 0; i < kLast; ++i) lua_pushnil(lua);
  lua_insert(lua, 1);
  lua_insert(lua, 1);
  lua_insert(lua, 1);
  for (lua_pushnil(lua); lua_next(lua, kLast + 1) != 0;) ReadField(lua, flags);
  if (lua_isnil(lua, kName)) {
    RaiseNamed(lua, "redis.register_function must get a function name argument");
  }
  if (lua_isnil(lua, kCallback)) {
    RaiseNamed(lua, "redis.register_function must get a callback argument");
  }
  return flags;
}

void CheckPlainArguments(lua_State* lua) {
  if (lua_isstring(lua, kName) == 0) {
    RaiseNamed(lua, "first argument to redis.register_function must be a string");
  }
  if (!lua_isfunction(lua, kCallback)) {
    RaiseNamed(lua, "second argument to redis.register_function must be a function");
  }
}

}  // namespace

int RegisterFunction(lua_State* lua) {
  RegisteredFunctions* registered = LuaSandbox::Of(lua).registered();
  if (registered == nullptr) {
    return RaiseNamed(lua, "redis.register_function can only be called on FUNCTION LOAD command");
  }
  const int count = lua_gettop(lua);
  if (count < 1 || count > 2) {
    return RaiseNamed(lua, "wrong number of arguments to redis.register_function");
  }
  uint32_t flags = 0;
  if (count == 1) {
    flags = ReadNamedArguments(lua);
  } else {
    CheckPlainArguments(lua);
    lua_pushnil(lua);
  }
  const std::string_view name = ViewAt(lua, kName);
  if (!IsFunctionName(name)) return RaiseErrorTable(lua, kBadFunctionName);
  for (const FunctionInfo& known : registered->functions) {
    if (known.name == name) return RaiseNamed(lua, "Function already exists in the library");
  }
  const bool has_description = !lua_isnil(lua, kDescription);
  const std::string_view description = ViewAt(lua, kDescription);
  lua_pushvalue(lua, kCallback);
  registered->refs.push_back(luaL_ref(lua, LUA_REGISTRYINDEX));
  FunctionInfo& added = registered->functions.emplace_back();
  added.name = name;
  added.flags = flags;
  if (has_description) added.description = description;
  return 0;
}

}  // namespace mikura::engine::scripting
