// SPDX-License-Identifier: Apache-2.0
// LuaJIT's table functions, except those that would write behind a proxy or run long without being
// seen: insert, remove and sort are ours.
#include <algorithm>
#include <climits>

#include "engine/scripting/libraries.h"
#include "engine/scripting/read_only.h"
#include "engine/scripting/sandbox.h"

namespace mikura::engine::scripting {
namespace {

constexpr size_t kBytesPerStep = 16;
constexpr int64_t kElementsPerStep = 4;  // moving one is cheaper than an instruction of Lua

// The length of the table that is the first argument. (That of a proxy is zero.)
int CheckLength(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  return static_cast<int>(std::min<size_t>(lua_objlen(lua, 1), INT_MAX - 1));
}

int CheckPosition(lua_State* lua, int argument) {
  return static_cast<int>(std::clamp<int64_t>(CheckInt64(lua, argument), INT_MIN, INT_MAX - 1));
}

int Insert(lua_State* lua) {
  int end = CheckLength(lua) + 1;
  RefuseReadOnly(lua, 1);
  int position = end;
  if (lua_gettop(lua) == 3) {
    position = CheckPosition(lua, 2);
    end = std::max(end, position);
    LuaSandbox& sandbox = LuaSandbox::Of(lua);
    for (int64_t i = end; i > position; --i) {
      if (i % kElementsPerStep == 0) sandbox.Spend(lua, 1);
      lua_rawgeti(lua, 1, static_cast<int>(i - 1));
      lua_rawseti(lua, 1, static_cast<int>(i));
    }
  } else if (lua_gettop(lua) != 2) {
    return luaL_error(lua, "wrong number of arguments to 'insert'");
  }
  lua_rawseti(lua, 1, position);
  return 0;
}

int Remove(lua_State* lua) {
  const int end = CheckLength(lua);
  int position = lua_isnoneornil(lua, 2) ? end : CheckPosition(lua, 2);
  if (position < 1 || position > end) return 0;
  LuaSandbox& sandbox = LuaSandbox::Of(lua);
  lua_rawgeti(lua, 1, position);
  for (; position < end; ++position) {
    if (position % kElementsPerStep == 0) sandbox.Spend(lua, 1);
    lua_rawgeti(lua, 1, position + 1);
    lua_rawseti(lua, 1, position);
  }
  lua_pushnil(lua);
  lua_rawseti(lua, 1, end);
  return 1;
}

// Appends t[index] to the scratch, which may raise.
void AddElement(lua_State* lua, LuaSandbox& sandbox, int index) {
  lua_rawgeti(lua, 1, index);
  if (lua_isstring(lua, -1) == 0) {
    luaL_error(lua, "invalid value (%s) at index %d in table for 'concat'", luaL_typename(lua, -1),
               index);
  }
  const std::string_view text = ViewAt(lua, -1);
  sandbox.CheckScratch(lua, sandbox.scratch.size() + text.size());
  sandbox.scratch += text;
  lua_pop(lua, 1);
  sandbox.Spend(lua, 1 + text.size() / kBytesPerStep);
}

int Concatenate(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  size_t size = 0;
  const char* bytes = luaL_optlstring(lua, 2, "", &size);
  const std::string_view between(bytes, size);
  int64_t index = lua_isnoneornil(lua, 3) ? 1 : CheckPosition(lua, 3);
  const int64_t last = lua_isnoneornil(lua, 4) ? CheckLength(lua) : CheckPosition(lua, 4);
  LuaSandbox& sandbox = LuaSandbox::Of(lua);
  sandbox.scratch.clear();
  for (; index <= last; ++index) {
    AddElement(lua, sandbox, static_cast<int>(index));
    if (index == last) break;
    sandbox.CheckScratch(lua, sandbox.scratch.size() + size);
    sandbox.scratch += between;
    sandbox.Spend(lua, size / kBytesPerStep);
  }
  PushView(lua, sandbox.scratch);
  return 1;
}

int MaximumKey(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  LuaSandbox& sandbox = LuaSandbox::Of(lua);
  double most = 0;
  int64_t count = 0;
  for (lua_pushnil(lua); lua_next(lua, 1) != 0;) {
    lua_pop(lua, 1);
    if (lua_type(lua, -1) == LUA_TNUMBER) most = std::max(most, lua_tonumber(lua, -1));
    if (++count % kElementsPerStep == 0) sandbox.Spend(lua, 1);
  }
  lua_pushnumber(lua, most);
  return 1;
}

int SetLength(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  return luaL_error(lua, "'setn' is obsolete");
}

// Places on the stack while sorting.
enum SortSlot : int { kTable = 1, kCompare = 2, kFrom = 3, kTo = 4, kLeft = 5, kRight = 6 };

bool IsLess(lua_State* lua, int a, int b) {
  if (lua_isnil(lua, kCompare)) {
    LuaSandbox::Of(lua).Spend(lua, 1);
    return lua_lessthan(lua, a, b) != 0;
  }
  lua_pushvalue(lua, kCompare);
  lua_pushvalue(lua, a);
  lua_pushvalue(lua, b);
  lua_call(lua, 2, 1);
  const bool less = lua_toboolean(lua, -1) != 0;
  lua_pop(lua, 1);
  return less;
}

// Loads kFrom[index] into a slot.
void TakeElement(lua_State* lua, int index, SortSlot slot) {
  lua_rawgeti(lua, kFrom, index);
  lua_replace(lua, slot);
}

// Merges kFrom[left, middle) and kFrom[middle, end) into kTo.
void Merge(lua_State* lua, int left, int middle, int end) {
  int right = middle;
  int to = left;
  if (left < middle) TakeElement(lua, left, kLeft);
  if (right < end) TakeElement(lua, right, kRight);
  while (left < middle || right < end) {
    const bool takes_right = right < end && (left == middle || IsLess(lua, kRight, kLeft));
    lua_pushvalue(lua, takes_right ? kRight : kLeft);
    lua_rawseti(lua, kTo, to++);
    if (takes_right) {
      if (++right < end) TakeElement(lua, right, kRight);
    } else {
      if (++left < middle) TakeElement(lua, left, kLeft);
    }
  }
}

void CopyElements(lua_State* lua, int from, int to, int count) {
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(lua, from, i);
    lua_rawseti(lua, to, i);
  }
}

// By merging: never more than n log n comparisons, whatever the order or the function. The table
// itself is written at the end, so that an error leaves it as it was.
int Sort(lua_State* lua) {
  const int count = CheckLength(lua);
  if (!lua_isnoneornil(lua, 2)) luaL_checktype(lua, 2, LUA_TFUNCTION);
  lua_settop(lua, kCompare);
  if (count < 2) return 0;
  lua_createtable(lua, count, 0);
  lua_createtable(lua, count, 0);
  lua_pushnil(lua);
  lua_pushnil(lua);
  CopyElements(lua, kTable, kFrom, count);
  for (int64_t width = 1; width < count; width *= 2) {
    for (int64_t left = 1; left <= count; left += 2 * width) {
      const auto end = [&](int64_t at) {
        return static_cast<int>(std::min<int64_t>(at, count + 1));
      };
      Merge(lua, static_cast<int>(left), end(left + width), end(left + 2 * width));
    }
    lua_pushvalue(lua, kFrom);
    lua_pushvalue(lua, kTo);
    lua_replace(lua, kFrom);
    lua_replace(lua, kTo);
  }
  CopyElements(lua, kFrom, kTable, count);
  return 0;
}

constexpr luaL_Reg kFunctions[] = {
    {"concat", Concatenate}, {"insert", Insert}, {"maxn", MaximumKey}, {"remove", Remove},
    {"setn", SetLength},     {"sort", Sort},     {nullptr, nullptr}};

constexpr const char* kOfLua[] = {"foreach", "foreachi", "getn"};

}  // namespace

void AddTableLibrary(lua_State* lua, int globals) {
  lua_newtable(lua);
  lua_getfield(lua, LUA_GLOBALSINDEX, "table");
  for (const char* name : kOfLua) {
    lua_getfield(lua, -1, name);
    lua_setfield(lua, -3, name);
  }
  lua_pop(lua, 1);
  AddFunctions(lua, kFunctions);
  MakeReadOnly(lua);
  lua_setfield(lua, globals, "table");
}

}  // namespace mikura::engine::scripting
