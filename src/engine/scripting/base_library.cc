// SPDX-License-Identifier: Apache-2.0
// The functions without a table, coroutines and bit operations.
#include <algorithm>
#include <bit>
#include <cstdlib>

#include "engine/scripting/libraries.h"
#include "engine/scripting/read_only.h"
#include "engine/scripting/sandbox.h"
#include "engine/scripting/script.h"
#include "engine/scripting/source_text.h"

namespace mikura::engine::scripting {
namespace {

// A byte of a program takes some 40 ns to scan and compile: several of an interpreter's steps.
constexpr size_t kLoadStepsPerByte = 8;

constexpr int64_t kUnpackMax = 8'000;  // what the stack of Lua 5.1 takes

int Next(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 2);
  const bool is_proxy = PushBehindProxy(lua, 1);
  if (is_proxy) lua_replace(lua, 1);
  while (lua_next(lua, 1) != 0) {
    const bool is_ours =
        is_proxy && lua_type(lua, -2) == LUA_TSTRING && ViewAt(lua, -2) == kPassThrough;
    if (!is_ours) return 2;
    lua_pop(lua, 1);
  }
  lua_pushnil(lua);
  return 1;
}

int PassThrough(lua_State* lua) { return lua_gettop(lua); }

// The loop over an ordinary table gets LuaJIT's own `next` (upvalue 1), which it runs without a
// call; that of a proxy gets ours (upvalue 2), which never hands the table behind it out.
int Pairs(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const bool is_proxy = PushBehindProxy(lua, 1);
  lua_pushvalue(lua, lua_upvalueindex(is_proxy ? 2 : 1));
  lua_pushvalue(lua, 1);
  lua_pushnil(lua);
  return 3;
}

// LuaJIT's own, which names another reason for what is no table.
int IterateArray(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_pushvalue(lua, lua_upvalueindex(1));
  lua_pushvalue(lua, 1);
  lua_call(lua, 1, 3);
  return 3;
}

int RawGet(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  lua_settop(lua, 2);
  if (PushBehindProxy(lua, 1)) lua_replace(lua, 1);
  lua_rawget(lua, 1);
  return 1;
}

int RawSet(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  luaL_checkany(lua, 3);
  RefuseReadOnly(lua, 1);
  lua_settop(lua, 3);
  lua_rawset(lua, 1);
  return 1;
}

// The metatable of strings (upvalue 1 stands for it) can be read.
int GetMetatable(lua_State* lua) {
  luaL_checkany(lua, 1);
  if (lua_type(lua, 1) == LUA_TSTRING) {
    lua_pushvalue(lua, lua_upvalueindex(1));
    return 1;
  }
  if (PushBehindProxy(lua, 1)) {
    // Whether the globals have one may be seen, but not through it.
    if (lua_getmetatable(lua, -1) == 0) {
      lua_pushnil(lua);
      return 1;
    }
    MakeReadOnly(lua);
    return 1;
  }
  if (lua_getmetatable(lua, 1) == 0) {
    lua_pushnil(lua);
  } else {
    luaL_getmetafield(lua, 1, "__metatable");  // pushes nothing when there is none
  }
  return 1;
}

int SetMetatable(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const int type = lua_type(lua, 2);
  luaL_argcheck(lua, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table expected");
  RefuseReadOnly(lua, 1);
  if (luaL_getmetafield(lua, 1, "__metatable") != 0) {
    luaL_error(lua, "cannot change a protected metatable");
  }
  lua_settop(lua, 2);
  lua_setmetatable(lua, 1);
  return 1;
}

int Unpack(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const int64_t first = OptInt64(lua, 2, 1);
  const int64_t last =
      lua_isnoneornil(lua, 3) ? static_cast<int64_t>(lua_objlen(lua, 1)) : CheckInt64(lua, 3);
  if (first > last) return 0;
  // The difference of two int64 does not fit into one.
  const uint64_t count = static_cast<uint64_t>(last) - static_cast<uint64_t>(first) + 1;
  if (count == 0 || count >= kUnpackMax || lua_checkstack(lua, static_cast<int>(count)) == 0) {
    return luaL_error(lua, "too many results to unpack");
  }
  LuaSandbox::Of(lua).Spend(lua, count / 4);
  for (uint64_t i = 0; i < count; ++i) {
    lua_pushnumber(lua, static_cast<double>(first) + static_cast<double>(i));
    lua_rawget(lua, 1);
  }
  return static_cast<int>(count);
}

int CollectGarbage(lua_State* lua) {
  static constexpr const char* kOptions[] = {"stop", "restart",  "collect",    "count",
                                             "step", "setpause", "setstepmul", nullptr};
  const std::string_view option = kOptions[luaL_checkoption(lua, 1, "collect", kOptions)];
  // The collector is not the script's to steer: everything but "count" has no effect.
  if (option == "count") {
    lua_pushnumber(lua, static_cast<double>(LuaSandbox::Of(lua).memory_bytes()) / 1024);
  } else if (option == "step") {
    lua_pushboolean(lua, 1);
  } else {
    lua_pushinteger(lua, 0);
  }
  return 1;
}

int GcInfo(lua_State* lua) {
  lua_pushinteger(lua, static_cast<lua_Integer>(LuaSandbox::Of(lua).memory_bytes() >> 10));
  return 1;
}

// As Lua's, but an error table of redis.call or redis.error_reply arrives as its text.
int ProtectedCall(lua_State* lua) {
  luaL_checkany(lua, 1);
  const int status = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0);
  if (status != 0 && lua_istable(lua, -1)) {
    lua_getfield(lua, -1, "err");
    if (lua_isstring(lua, -1) != 0) {
      lua_replace(lua, -2);
    } else {
      lua_pop(lua, 1);
    }
  }
  luaL_checkstack(lua, 1, "too many results");
  lua_pushboolean(lua, status == 0);
  lua_insert(lua, 1);
  return lua_gettop(lua);
}

// The handler runs when the error has left the function: LuaJIT's own xpcall runs it inside of
// whatever raised, and when that is the count hook, nothing would count the handler's steps.
int CallWithHandler(lua_State* lua) {
  luaL_checkany(lua, 2);
  lua_settop(lua, 2);
  lua_pushvalue(lua, 1);
  const int status = lua_pcall(lua, 0, LUA_MULTRET, 0);
  if (status != 0 && status != LUA_ERRMEM) {
    lua_pushvalue(lua, 2);
    lua_insert(lua, -2);
    if (lua_pcall(lua, 1, 1, 0) != 0) {
      lua_pop(lua, 1);
      lua_pushliteral(lua, "error in error handling");
    }
  }
  luaL_checkstack(lua, 1, "too many results");
  lua_pushboolean(lua, status == 0);
  lua_replace(lua, 2);
  return lua_gettop(lua) - 1;
}

int Assert(lua_State* lua) {
  luaL_checkany(lua, 1);
  if (lua_toboolean(lua, 1) != 0) return lua_gettop(lua);
  return luaL_error(lua, "%s", luaL_optstring(lua, 2, "assertion failed!"));
}

int LoadText(lua_State* lua, std::string_view code, const char* chunk_name) {
  LuaSandbox::Of(lua).Spend(lua, code.size() * kLoadStepsPerByte);
  if (LuaSandbox::Of(lua).Load(lua, code, chunk_name)) return 1;
  lua_pushnil(lua);
  lua_insert(lua, -2);
  return 2;
}

int LoadString(lua_State* lua) {
  const std::string_view code = CheckView(lua, 1);
  const char* chunk_name = luaL_optstring(lua, 2, code.data());
  return LoadText(lua, code, chunk_name);
}

// The script's function gives the pieces before anything is parsed.
int Load(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TFUNCTION);
  const char* chunk_name = luaL_optstring(lua, 2, "=(load)");
  lua_settop(lua, 2);
  luaL_Buffer code;
  luaL_buffinit(lua, &code);
  size_t bytes = 0;
  while (true) {
    lua_pushvalue(lua, 1);
    lua_call(lua, 0, 1);
    if (lua_isnil(lua, -1)) break;
    if (lua_isstring(lua, -1) == 0) return luaL_error(lua, "reader function must return a string");
    const size_t size = ViewAt(lua, -1).size();
    if (size == 0) break;
    bytes += size;
    if (bytes > kSourceBytesMax) return luaL_error(lua, "source text is too long");
    luaL_addvalue(&code);
  }
  lua_pop(lua, 1);
  luaL_pushresult(&code);
  return LoadText(lua, ViewAt(lua, -1), chunk_name);
}

// At most eight digits, whatever is asked for; in capitals for a negative number of them.
int ToHex(lua_State* lua) {
  constexpr double kRounding = 6755399441055744.0;  // 2^52 + 2^51: the low bits become an integer
  const auto low_bits = [&](int argument) {
    return static_cast<uint32_t>(
        std::bit_cast<uint64_t>(luaL_checknumber(lua, argument) + kRounding));
  };
  uint32_t bits = low_bits(1);
  const auto wanted = lua_isnone(lua, 2) ? int64_t{8} : int64_t{static_cast<int32_t>(low_bits(2))};
  const char* digits = wanted < 0 ? "0123456789ABCDEF" : "0123456789abcdef";
  const auto count = static_cast<size_t>(std::min<int64_t>(std::abs(wanted), 8));
  char text[8];
  for (size_t i = count; i > 0; --i, bits >>= 4) text[i - 1] = digits[bits & 15];
  lua_pushlstring(lua, text, count);
  return 1;
}

constexpr luaL_Reg kFunctions[] = {
    {"assert", Assert},          {"collectgarbage", CollectGarbage},
    {"gcinfo", GcInfo},          {"load", Load},
    {"loadstring", LoadString},  {"next", Next},
    {"pcall", ProtectedCall},    {"rawget", RawGet},
    {"rawset", RawSet},          {"setmetatable", SetMetatable},
    {"unpack", Unpack},          {"xpcall", CallWithHandler},
    {kPassThrough, PassThrough}, {nullptr, nullptr},
};

constexpr const char* kOfLua[] = {"_VERSION", "error",    "rawequal", "select",
                                  "tonumber", "tostring", "type"};

// Moves a library of LuaJIT's globals, reduced to `names`, into a new table on top of the stack.
template <size_t count>
void TakeLibrary(lua_State* lua, const char* library, const char* const (&names)[count]) {
  lua_createtable(lua, 0, count);
  lua_getfield(lua, LUA_GLOBALSINDEX, library);
  for (const char* name : names) {
    lua_getfield(lua, -1, name);
    lua_setfield(lua, -3, name);
  }
  lua_pop(lua, 1);
}

}  // namespace

void AddBaseLibrary(lua_State* lua, int globals) {
  lua_pushvalue(lua, globals);
  AddFunctions(lua, kFunctions);
  for (const char* name : kOfLua) {
    lua_getfield(lua, LUA_GLOBALSINDEX, name);
    lua_setfield(lua, -2, name);
  }
  lua_getfield(lua, LUA_GLOBALSINDEX, "next");
  lua_getfield(lua, -2, "next");
  lua_pushcclosure(lua, Pairs, 2);
  lua_setfield(lua, -2, "pairs");
  lua_getfield(lua, LUA_GLOBALSINDEX, "ipairs");
  lua_pushcclosure(lua, IterateArray, 1);
  lua_setfield(lua, -2, "ipairs");
  lua_pop(lua, 1);
}

void AddCoroutineLibrary(lua_State* lua, int globals) {
  TakeLibrary(lua, "coroutine", {"create", "resume", "running", "status", "wrap", "yield"});
  MakeReadOnly(lua);
  lua_setfield(lua, globals, "coroutine");
}

void AddBitLibrary(lua_State* lua, int globals) {
  TakeLibrary(lua, "bit",
              {"arshift", "band", "bnot", "bor", "bswap", "bxor", "lshift", "rol", "ror", "rshift",
               "tobit"});
  lua_pushcfunction(lua, ToHex);
  lua_setfield(lua, -2, "tohex");
  MakeReadOnly(lua);
  lua_setfield(lua, globals, "bit");
}

// Adds getmetatable, which needs what the string library made.
void AddMetatableOfStrings(lua_State* lua, int globals) {
  lua_newtable(lua);
  lua_getfield(lua, globals, "string");
  lua_setfield(lua, -2, "__index");
  MakeReadOnly(lua);
  lua_pushcclosure(lua, GetMetatable, 1);
  lua_setfield(lua, globals, "getmetatable");
}

}  // namespace mikura::engine::scripting
