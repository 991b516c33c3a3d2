// SPDX-License-Identifier: Apache-2.0
// The string functions. LuaJIT's own "byte" and "char" cost little; the others count what they
// copy: a result that exists already takes no memory, and then nothing else would count it.
#include <algorithm>
#include <cctype>
#include <cstring>

#include "engine/scripting/libraries.h"
#include "engine/scripting/pattern.h"
#include "engine/scripting/read_only.h"
#include "engine/scripting/sandbox.h"
#include "engine/scripting/string_format.h"

namespace mikura::engine::scripting {
namespace {

constexpr size_t kBytesPerStep = 64;  // of searching for plain text
constexpr size_t kBytesPerSpending = 1 << 20;
constexpr size_t kBytesPerCopyStep = 16;  // with hashing and comparing

bool HasSpecials(std::string_view pattern) {
  return pattern.substr(0, pattern.find('\0')).find_first_of("^$*+?.([%-") !=
         std::string_view::npos;
}

// Finds the plain text; null when there is none.
const char* FindPlain(lua_State* lua, std::string_view text, std::string_view wanted) {
  LuaSandbox::Of(lua).Spend(lua, text.size() / kBytesPerStep);
  if (wanted.empty()) return text.data();
  return static_cast<const char*>(memmem(text.data(), text.size(), wanted.data(), wanted.size()));
}

int PushPlace(lua_State* lua, std::string_view subject, const char* from, const char* to) {
  lua_pushinteger(lua, from - subject.data() + 1);
  lua_pushinteger(lua, to - subject.data());
  return 2;
}

// string.find and string.match.
int Search(lua_State* lua, bool is_find) {
  const std::string_view subject = CheckView(lua, 1);
  const std::string_view pattern = CheckView(lua, 2);
  const auto size = static_cast<int64_t>(subject.size());
  int64_t first = OptInt64(lua, 3, 1);
  if (first < 0) first = std::max<int64_t>(first + size, -1) + 1;
  first = std::clamp<int64_t>(first - 1, 0, size);
  if (is_find && (lua_toboolean(lua, 4) != 0 || !HasSpecials(pattern))) {
    const char* found = FindPlain(lua, subject.substr(static_cast<size_t>(first)), pattern);
    if (found != nullptr) return PushPlace(lua, subject, found, found + pattern.size());
    lua_pushnil(lua);
    return 1;
  }
  PatternMatch match(lua, subject, pattern);
  const bool is_anchored = pattern.starts_with('^');
  const char* items = pattern.data() + (is_anchored ? 1 : 0);
  for (const char* from = subject.data() + first; from <= match.end(); ++from) {
    if (const char* to = match.MatchAt(from, items)) {
      if (!is_find) return match.PushCaptures(from, to);
      const int places = PushPlace(lua, subject, from, to);
      return places + match.PushCaptures(nullptr, nullptr);
    }
    if (is_anchored) break;
  }
  lua_pushnil(lua);
  return 1;
}

int Find(lua_State* lua) { return Search(lua, true); }
int Match(lua_State* lua) { return Search(lua, false); }

// The iterator of string.gmatch: upvalues subject, pattern, where to go on.
int NextMatch(lua_State* lua) {
  const std::string_view subject = ViewAt(lua, lua_upvalueindex(1));
  const std::string_view pattern = ViewAt(lua, lua_upvalueindex(2));
  PatternMatch match(lua, subject, pattern);
  const char* from = subject.data() + lua_tointeger(lua, lua_upvalueindex(3));
  for (; from <= match.end(); ++from) {
    const char* to = match.MatchAt(from, pattern.data());
    if (to == nullptr) continue;
    // Behind an empty match the next begins one further on.
    lua_pushinteger(lua, to - subject.data() + (to == from ? 1 : 0));
    lua_replace(lua, lua_upvalueindex(3));
    return match.PushCaptures(from, to);
  }
  return 0;
}

int AllMatches(lua_State* lua) {
  CheckView(lua, 1);
  CheckView(lua, 2);
  lua_settop(lua, 2);
  lua_pushinteger(lua, 0);
  lua_pushcclosure(lua, NextMatch, 3);
  return 1;
}

// Adds what a replacement string says, with %0 to %9 for captures.
void AddReplacementText(lua_State* lua, luaL_Buffer& out, PatternMatch& match, const char* from,
                        const char* to) {
  const std::string_view text = ViewAt(lua, 3);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      luaL_addchar(&out, text[i]);
      continue;
    }
    // At the end of the text stands a zero byte, as in Lua 5.1.
    const char c = ++i < text.size() ? text[i] : '\0';
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) {
      luaL_addchar(&out, c);
    } else if (c == '0') {
      luaL_addlstring(&out, from, static_cast<size_t>(to - from));
    } else {
      match.PushCapture(c - '1', from, to);
      luaL_addvalue(&out);
    }
  }
}

// Adds what stands for the match [from, to): string, table or function decide.
void AddReplacement(lua_State* lua, luaL_Buffer& out, PatternMatch& match, const char* from,
                    const char* to) {
  switch (lua_type(lua, 3)) {
    case LUA_TFUNCTION: {
      lua_pushvalue(lua, 3);
      const int count = match.PushCaptures(from, to);
      lua_call(lua, count, 1);
      break;
    }
    case LUA_TTABLE:
      match.PushCapture(0, from, to);
      lua_gettable(lua, 3);
      break;
    default:
      AddReplacementText(lua, out, match, from, to);
      return;
  }
  if (lua_toboolean(lua, -1) == 0) {
    lua_pop(lua, 1);
    lua_pushlstring(lua, from, static_cast<size_t>(to - from));
  } else if (lua_isstring(lua, -1) == 0) {
    luaL_error(lua, "invalid replacement value (a %s)", luaL_typename(lua, -1));
  }
  luaL_addvalue(&out);
}

int Substitute(lua_State* lua) {
  const std::string_view subject = CheckView(lua, 1);
  const std::string_view pattern = CheckView(lua, 2);
  const int type = lua_type(lua, 3);
  luaL_argcheck(
      lua,
      type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TTABLE || type == LUA_TFUNCTION, 3,
      "string/function/table expected");
  const int64_t most = OptInt64(lua, 4, static_cast<int64_t>(subject.size()) + 1);
  if (type == LUA_TNUMBER) ViewAt(lua, 3);
  const bool is_anchored = pattern.starts_with('^');
  const char* items = pattern.data() + (is_anchored ? 1 : 0);
  PatternMatch match(lua, subject, pattern);
  luaL_Buffer out;
  luaL_buffinit(lua, &out);
  const char* from = subject.data();
  int64_t count = 0;
  while (count < most) {
    const char* to = match.MatchAt(from, items);
    if (to != nullptr) {
      ++count;
      AddReplacement(lua, out, match, from, to);
    }
    if (to != nullptr && to > from) {
      from = to;
    } else if (from < match.end()) {
      luaL_addchar(&out, *from++);
    } else {
      break;
    }
    if (is_anchored) break;
  }
  luaL_addlstring(&out, from, static_cast<size_t>(match.end() - from));
  luaL_pushresult(&out);
  lua_pushnumber(lua, static_cast<double>(count));
  return 2;
}

// Counts the copy of `bytes`, and refuses too many.
LuaSandbox& SandboxForCopy(lua_State* lua, size_t bytes) {
  LuaSandbox& sandbox = LuaSandbox::Of(lua);
  sandbox.CheckScratch(lua, bytes);
  sandbox.Spend(lua, bytes / kBytesPerCopyStep);
  return sandbox;
}

int PushScratch(lua_State* lua, LuaSandbox& sandbox) {
  PushView(lua, sandbox.scratch);
  return 1;
}

int Lower(lua_State* lua) {
  const std::string_view text = CheckView(lua, 1);
  LuaSandbox& sandbox = SandboxForCopy(lua, text.size());
  sandbox.scratch = text;
  for (char& c : sandbox.scratch) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return PushScratch(lua, sandbox);
}

int Upper(lua_State* lua) {
  const std::string_view text = CheckView(lua, 1);
  LuaSandbox& sandbox = SandboxForCopy(lua, text.size());
  sandbox.scratch = text;
  for (char& c : sandbox.scratch) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return PushScratch(lua, sandbox);
}

int Reverse(lua_State* lua) {
  const std::string_view text = CheckView(lua, 1);
  LuaSandbox& sandbox = SandboxForCopy(lua, text.size());
  sandbox.scratch.assign(text.rbegin(), text.rend());
  return PushScratch(lua, sandbox);
}

int Repeat(lua_State* lua) {
  const std::string_view text = CheckView(lua, 1);
  const int64_t count = CheckInt64(lua, 2);
  if (count <= 0 || text.empty()) {
    lua_pushliteral(lua, "");
    return 1;
  }
  const size_t bytes_max = LuaSandbox::Of(lua).memory_bytes_max();
  const bool is_too_long = static_cast<uint64_t>(count) > bytes_max / text.size();
  const size_t bytes = is_too_long ? SIZE_MAX : text.size() * static_cast<size_t>(count);
  LuaSandbox& sandbox = LuaSandbox::Of(lua);
  sandbox.CheckScratch(lua, bytes);
  sandbox.scratch.clear();
  sandbox.scratch.reserve(bytes);
  sandbox.scratch = text;
  sandbox.Spend(lua, text.size() / kBytesPerCopyStep);
  // What is there already is appended again, so that short texts cost no more than long ones.
  while (sandbox.scratch.size() < bytes) {
    const size_t size = sandbox.scratch.size();
    size_t piece = std::min({bytes - size, size, std::max(kBytesPerSpending, text.size())});
    piece -= piece % text.size();  // whole texts
    sandbox.scratch.append(sandbox.scratch, 0, piece);
    sandbox.Spend(lua, piece / kBytesPerCopyStep);
  }
  return PushScratch(lua, sandbox);
}

int Part(lua_State* lua) {
  const std::string_view text = CheckView(lua, 1);
  const auto size = static_cast<int64_t>(text.size());
  const auto place = [size](int64_t given) { return given < 0 ? given + size + 1 : given; };
  const int64_t first = std::max<int64_t>(place(std::max(CheckInt64(lua, 2), -size - 1)), 1);
  const int64_t last = std::min(place(std::max(OptInt64(lua, 3, -1), -size - 1)), size);
  if (first > last) {
    lua_pushliteral(lua, "");
    return 1;
  }
  const auto count = static_cast<size_t>(last - first + 1);
  LuaSandbox::Of(lua).Spend(lua, count / kBytesPerCopyStep);
  PushView(lua, text.substr(static_cast<size_t>(first - 1), count));
  return 1;
}

int Length(lua_State* lua) {
  lua_pushnumber(lua, static_cast<double>(CheckView(lua, 1).size()));
  return 1;
}

int AddToBuffer(lua_State* /*lua*/, const void* bytes, size_t size, void* buffer) {
  luaL_addlstring(static_cast<luaL_Buffer*>(buffer), static_cast<const char*>(bytes), size);
  return 0;
}

// Bytes that say what LuaJIT made of the function. They can be sent about and compared; nothing
// loads them (load.cc).
int Dump(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TFUNCTION);
  lua_settop(lua, 1);
  luaL_Buffer bytes;
  luaL_buffinit(lua, &bytes);
  if (lua_dump(lua, AddToBuffer, &bytes) != 0) {
    return luaL_error(lua, "unable to dump given function");
  }
  luaL_pushresult(&bytes);
  LuaSandbox::Of(lua).Spend(lua, ViewAt(lua, -1).size() / 16);
  return 1;
}

constexpr luaL_Reg kFunctions[] = {
    {"dump", Dump},         {"find", Find},       {"format", FormatString}, {"gfind", AllMatches},
    {"gmatch", AllMatches}, {"gsub", Substitute}, {"len", Length},          {"lower", Lower},
    {"match", Match},       {"rep", Repeat},      {"reverse", Reverse},     {"sub", Part},
    {"upper", Upper},       {nullptr, nullptr}};

constexpr const char* kOfLua[] = {"byte", "char"};

}  // namespace

void AddStringLibrary(lua_State* lua, int globals) {
  lua_newtable(lua);
  lua_getfield(lua, LUA_GLOBALSINDEX, "string");
  for (const char* name : kOfLua) {
    lua_getfield(lua, -1, name);
    lua_setfield(lua, -3, name);
  }
  lua_pop(lua, 1);
  AddFunctions(lua, kFunctions);
  // Methods of strings go straight to the table behind the proxy: they only read.
  lua_pushliteral(lua, "");
  lua_getmetatable(lua, -1);
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  lua_pop(lua, 2);
  MakeReadOnly(lua);
  lua_setfield(lua, globals, "string");
}

}  // namespace mikura::engine::scripting
