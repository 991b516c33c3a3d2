// SPDX-License-Identifier: Apache-2.0
// cjson.encode. The text grows in the sandbox's scratch, within the limit of memory: a table may
// contain the same long string very often.
#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdio>

#include "engine/scripting/json_codec.h"
#include "engine/scripting/sandbox.h"

namespace mikura::engine::scripting {
namespace {

class JsonEncoder {
 public:
  explicit JsonEncoder(lua_State* lua)
      : lua_(lua),
        sandbox_(LuaSandbox::Of(lua)),
        settings_(sandbox_.json),
        text_(sandbox_.scratch) {
    text_.clear();
  }

  // The value on top of the stack; leaves it there.
  void Value(int depth) {
    const int type = lua_type(lua_, -1);
    switch (type) {
      case LUA_TSTRING:
        return String(ViewAt(lua_, -1));
      case LUA_TNUMBER:
        return Number(lua_tonumber(lua_, -1));
      case LUA_TBOOLEAN:
        return Add(lua_toboolean(lua_, -1) != 0 ? "true" : "false");
      case LUA_TTABLE:
        return Table(depth + 1);
      case LUA_TNIL:
        return Add("null");
      case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(lua_, -1) == nullptr) return Add("null");
        break;
      default:
        break;
    }
    Refuse(type, "type not supported");
  }

 private:
  void Add(std::string_view text) {
    sandbox_.CheckScratch(lua_, text_.size() + text.size());
    text_ += text;
  }

  void Refuse(int type, const char* why) {
    luaL_error(lua_, "Cannot serialise %s: %s", lua_typename(lua_, type), why);
  }

  void Table(int depth) {
    const int most = std::min(settings_.encode_depth_max, kJsonDepthMax);
    if (depth > most || lua_checkstack(lua_, 4) == 0) {
      luaL_error(lua_, "Cannot serialise, excessive nesting (%d)", depth);
    }
    const int length = ArrayLength();
    if (length > 0) {
      Array(length, depth);
    } else {
      Object(depth);
    }
  }

  // The greatest index when all keys are positive integers and there are not too many holes; -1
  // for a table that becomes an object.
  int ArrayLength() {
    double most = 0;
    int64_t items = 0;
    lua_pushnil(lua_);
    while (lua_next(lua_, -2) != 0) {
      sandbox_.Spend(lua_, 1);
      lua_pop(lua_, 1);
      const double key = lua_type(lua_, -1) == LUA_TNUMBER ? lua_tonumber(lua_, -1) : 0;
      if (key < 1 || std::floor(key) != key || key > INT_MAX) {
        lua_pop(lua_, 1);
        return -1;
      }
      most = std::max(most, key);
      ++items;
    }
    const bool is_sparse = settings_.sparse_ratio > 0 && most > settings_.sparse_safe &&
                           most > static_cast<double>(items) * settings_.sparse_ratio;
    if (!is_sparse) return static_cast<int>(most);
    if (!settings_.sparse_convert) Refuse(LUA_TTABLE, "excessively sparse array");
    return -1;
  }

  void Array(int length, int depth) {
    Add("[");
    for (int i = 1; i <= length; ++i) {
      if (i > 1) Add(",");
      lua_rawgeti(lua_, -1, i);
      Value(depth);
      lua_pop(lua_, 1);
      sandbox_.Spend(lua_, 1);
    }
    Add("]");
  }

  void Object(int depth) {
    Add("{");
    bool is_first = true;
    for (lua_pushnil(lua_); lua_next(lua_, -2) != 0; lua_pop(lua_, 1)) {
      if (!is_first) Add(",");
      is_first = false;
      Key();
      Value(depth);
    }
    Add("}");
  }

  void Key() {
    if (lua_type(lua_, -2) == LUA_TNUMBER) {
      Add("\"");
      Number(lua_tonumber(lua_, -2));
      Add("\":");
    } else if (lua_type(lua_, -2) == LUA_TSTRING) {
      String(ViewAt(lua_, -2));
      Add(":");
    } else {
      Refuse(lua_type(lua_, -2), "table key must be a number or string");
    }
  }

  void Number(double number) {
    const bool is_invalid = std::isnan(number) || std::isinf(number);
    if (!is_invalid) {
      char text[40];
      const int size = std::snprintf(text, sizeof(text), "%.*g", settings_.number_digits, number);
      return Add({text, static_cast<size_t>(size)});
    }
    switch (settings_.encode_invalid) {
      case InvalidNumbers::kRefused:
        return Refuse(LUA_TNUMBER, "must not be NaN or Inf");
      case InvalidNumbers::kNull:
        return Add("null");
      case InvalidNumbers::kAccepted:
        if (std::isnan(number)) return Add("nan");
        return Add(number < 0 ? "-inf" : "inf");
    }
  }

  // What a byte is written as, or empty when it stands for itself.
  static std::string_view Escape(unsigned char byte, char (&place)[8]) {
    switch (byte) {
      case '"':
        return "\\\"";
      case '\\':
        return "\\\\";
      case '/':
        return "\\/";
      case '\b':
        return "\\b";
      case '\t':
        return "\\t";
      case '\n':
        return "\\n";
      case '\f':
        return "\\f";
      case '\r':
        return "\\r";
      default:
        break;
    }
    if (byte >= 0x20 && byte != 0x7f) return {};
    const int size = std::snprintf(place, sizeof(place), "\\u%04x", byte);
    return {place, static_cast<size_t>(size)};
  }

  void String(std::string_view bytes) {
    constexpr size_t kBytesPerStep = 16;
    sandbox_.Spend(lua_, bytes.size() / kBytesPerStep);
    sandbox_.CheckScratch(lua_, text_.size() + bytes.size() + 2);
    text_ += '"';
    size_t plain = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      char place[8];
      const std::string_view escape = Escape(static_cast<unsigned char>(bytes[i]), place);
      if (escape.empty()) continue;
      Add(bytes.substr(plain, i - plain));
      text_ += escape;
      plain = i + 1;
    }
    Add(bytes.substr(plain));
    text_ += '"';
  }

  lua_State* lua_;
  LuaSandbox& sandbox_;
  const JsonSettings& settings_;
  std::string& text_;
};

}  // namespace

int EncodeJson(lua_State* lua) {
  luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
  JsonEncoder(lua).Value(0);
  PushView(lua, LuaSandbox::Of(lua).scratch);
  return 1;
}

}  // namespace mikura::engine::scripting
