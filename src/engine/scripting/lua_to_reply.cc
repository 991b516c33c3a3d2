// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdio>

#include "engine/scripting/reply_conversion.h"
#include "engine/scripting/reply_text.h"
#include "engine/scripting/sandbox.h"

namespace mikura::engine::scripting {
namespace {

// What Lua 5.1's stack lets Redis nest: a level of an array takes one place, of a map or set three.
constexpr int kPlacesMax = 7'995;
constexpr int kArrayPlaces = 1;
constexpr int kMapPlaces = 3;

// As Redis turns numbers into integers: toward zero, and what does not fit is the smallest.
int64_t Truncate(double number) {
  if (number > -9.2233720368547758e18 && number < 9.2233720368547758e18) {
    return static_cast<int64_t>(number);
  }
  return INT64_MIN;
}

// Without recursion. Of each table that is being written, the frame says how far it is, and on
// Lua's stack lie
//   kArray             the table
//   kMapKey, kSet      the table, the last key
//   kMapValue          the table, the last key, its value
class ValueWriter {
 public:
  ValueWriter(lua_State* lua, int script_resp, wire::RespWriter& reply)
      : lua_(lua), sandbox_(LuaSandbox::Of(lua)), script_resp_(script_resp), reply_(reply) {
    frames().clear();
  }

  void Write() {
    const size_t before = reply_.out().size();
    WriteTop();
    while (!frames().empty()) {
      // A table may be in many places of the reply: its size is not bounded by Lua's memory.
      sandbox_.CheckScratch(lua_, reply_.out().size() - before);
      sandbox_.Spend(lua_, 1);
      Continue(frames().back());
    }
  }

 private:
  using Frame = LuaSandbox::TableFrame;
  enum Kind : int { kArray, kMapKey, kMapValue, kSet };

  std::vector<Frame>& frames() { return sandbox_.frames; }

  // One more element of the innermost table, or its end. WriteTop may move the frames.
  void Continue(Frame& frame) {
    if (frame.kind == kArray) {
      if (frame.next > frame.count) return EndTable(kArrayPlaces);
      lua_rawgeti(lua_, -1, frame.next++);
    } else if (frame.kind == kMapValue) {
      frame.kind = kMapKey;
    } else if (lua_next(lua_, -2) == 0) {
      return EndTable(kMapPlaces);
    } else if (frame.kind == kMapKey) {
      frame.kind = kMapValue;
      lua_pushvalue(lua_, -2);
    } else {
      lua_pop(lua_, 1);
      lua_pushvalue(lua_, -1);
    }
    WriteTop();
  }

  void EndTable(int places) {
    lua_pop(lua_, 1);
    places_ -= places;
    frames().pop_back();
  }

  // Writes the value on top and pops it, or leaves it there with a frame for its elements.
  void WriteTop() {
    if (places_ >= kPlacesMax || lua_checkstack(lua_, 4) == 0) {
      reply_.Error("ERR", "reached lua stack limit");
      lua_pop(lua_, 1);
      return;
    }
    switch (lua_type(lua_, -1)) {
      case LUA_TSTRING:
        reply_.Bulk(ViewAt(lua_, -1));
        break;
      case LUA_TBOOLEAN:
        WriteBoolean(lua_toboolean(lua_, -1) != 0);
        break;
      case LUA_TNUMBER:
        reply_.Integer(Truncate(lua_tonumber(lua_, -1)));
        break;
      case LUA_TTABLE:
        WriteTable();
        return;
      default:
        reply_.Null();
    }
    lua_pop(lua_, 1);
  }

  void WriteBoolean(bool value) {
    if (script_resp_ >= 3) {
      reply_.Boolean(value);
    } else if (value) {
      reply_.Integer(1);
    } else {
      reply_.Null();
    }
  }

  // Pushes a field of the table on top, when it has that type.
  bool PushField(const char* name, int type) {
    lua_pushstring(lua_, name);
    lua_rawget(lua_, -2);
    if (lua_type(lua_, -1) == type) return true;
    lua_pop(lua_, 1);
    return false;
  }

  void WriteTable() {
    const char* kind = nullptr;
    if (PushField("err", LUA_TSTRING)) {
      WriteErrorText(reply_, ViewAt(lua_, -1));
    } else if (PushField("ok", LUA_TSTRING)) {
      WriteLine('+', ViewAt(lua_, -1));
    } else if (PushField("double", LUA_TNUMBER)) {
      WriteDouble(lua_tonumber(lua_, -1));
    } else if (PushField(kind = "map", LUA_TTABLE) || PushField(kind = "set", LUA_TTABLE)) {
      return BeginPairs(kind[0] == 'm');
    } else if (PushField("big_number", LUA_TSTRING)) {
      WriteBigNumber(ViewAt(lua_, -1));
    } else if (!PushField("verbatim_string", LUA_TTABLE) || !WriteVerbatim()) {
      return BeginArray();
    }
    lua_pop(lua_, 2);
  }

  // A line must stay one line.
  void WriteLine(char kind, std::string_view text) {
    wire::OutputBuffer& out = reply_.out();
    out.Append(kind);
    for (const char c : text) out.Append(c == '\r' || c == '\n' ? ' ' : c);
    out.Append("\r\n");
  }

  void WriteDouble(double number) {
    char text[40];
    const int size = std::snprintf(text, sizeof(text), "%.17g", number);
    const std::string_view view(text, static_cast<size_t>(size));
    if (reply_.version() >= 3) {
      WriteLine(',', view);
    } else {
      reply_.Bulk(view);
    }
  }

  void WriteBigNumber(std::string_view text) {
    if (reply_.version() >= 3) {
      WriteLine('(', text);
    } else {
      reply_.Bulk(text);
    }
  }

  // The fields of the table on top, which is popped when they are not both strings.
  bool WriteVerbatim() {
    if (PushField("format", LUA_TSTRING)) {
      lua_insert(lua_, -2);
      if (PushField("string", LUA_TSTRING)) {
        const std::string_view format = ViewAt(lua_, -3);
        char padded[3] = {' ', ' ', ' '};
        format.copy(padded, sizeof(padded));
        reply_.Verbatim({padded, sizeof(padded)}, ViewAt(lua_, -1));
        lua_pop(lua_, 2);
        return true;
      }
      lua_remove(lua_, -2);
    }
    lua_pop(lua_, 1);
    return false;
  }

  // The inner table is on top, above the one that names it.
  void BeginPairs(bool is_map) {
    lua_remove(lua_, -2);
    size_t count = 0;
    for (lua_pushnil(lua_); lua_next(lua_, -2) != 0; lua_pop(lua_, 1)) ++count;
    if (is_map) {
      reply_.Map(count);
    } else {
      reply_.Set(count);
    }
    lua_pushnil(lua_);
    places_ += kMapPlaces;
    frames().push_back({is_map ? kMapKey : kSet, 0, 0});
  }

  void BeginArray() {
    int count = 0;
    while (true) {
      lua_rawgeti(lua_, -1, count + 1);
      const bool is_end = lua_isnil(lua_, -1);
      lua_pop(lua_, 1);
      if (is_end) break;
      ++count;
    }
    reply_.Array(static_cast<size_t>(count));
    places_ += kArrayPlaces;
    frames().push_back({kArray, 1, count});
  }

  lua_State* lua_;
  LuaSandbox& sandbox_;
  int script_resp_;
  wire::RespWriter& reply_;
  int places_ = 0;
};

}  // namespace

void WriteErrorText(wire::RespWriter& reply, std::string_view text) {
  const size_t blank = text.find(' ');
  if (blank != std::string_view::npos && text.find_first_of("\r\n") > blank) {
    reply.Error(text.substr(0, blank), text.substr(blank + 1));
    return;
  }
  wire::OutputBuffer& out = reply.out();
  out.Append('-');
  for (const char c : text) out.Append(c == '\r' || c == '\n' ? ' ' : c);
  out.Append("\r\n");
}

void WriteValue(lua_State* lua, int script_resp, wire::RespWriter& reply) {
  ValueWriter(lua, script_resp, reply).Write();
}

}  // namespace mikura::engine::scripting
