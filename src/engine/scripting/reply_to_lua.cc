// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "base/numbers.h"
#include "engine/scripting/reply_conversion.h"

namespace mikura::engine::scripting {
namespace {

constexpr int kDepthMax = 1'000;

class ReplyReader {
 public:
  ReplyReader(lua_State* lua, std::string_view resp) : lua_(lua), rest_(resp) {}

  void Push() {
    luaL_checkstack(lua_, 6, "reply is nested too deeply");
    if (++depth_ > kDepthMax) luaL_error(lua_, "reply is nested too deeply");
    const char kind = rest_.empty() ? '_' : rest_.front();
    const std::string_view line = TakeLine();
    switch (kind) {
      case '$':
      case '=':
        PushBytes(kind, Count(line));
        break;
      case '*':
      case '>':
        PushArray(Count(line));
        break;
      case '%':
        PushMap(Count(line));
        break;
      case '~':
        PushSet(Count(line));
        break;
      case '|':
        SkipAttributes(Count(line));
        Push();
        break;
      default:
        PushLine(kind, line);
    }
    --depth_;
  }

 private:
  // Without its first character and the line end.
  std::string_view TakeLine() {
    const size_t end = rest_.find("\r\n");
    if (end == std::string_view::npos || end == 0) {
      rest_ = {};
      return {};
    }
    const std::string_view line = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 2);
    return line;
  }

  static int64_t Count(std::string_view line) { return ParseInt64(line).value_or(-1); }

  void PushField(const char* name, std::string_view text) {
    PushView(lua_, text);
    lua_setfield(lua_, -2, name);
  }

  void PushLine(char kind, std::string_view line) {
    switch (kind) {
      case '+':
        lua_createtable(lua_, 0, 1);
        PushField("ok", line);
        break;
      case '-':
        PushErrorTable(lua_, line);
        lua_pushboolean(lua_, 1);
        lua_setfield(lua_, -2, kCountedErrorField);
        break;
      case ':':
        lua_pushnumber(lua_, static_cast<double>(Count(line)));
        break;
      case '#':
        lua_pushboolean(lua_, line == "t");
        break;
      case ',':
        lua_createtable(lua_, 0, 1);
        lua_pushnumber(lua_, std::strtod(line.data(), nullptr));  // the line end stops it
        lua_setfield(lua_, -2, "double");
        break;
      case '(':
        lua_createtable(lua_, 0, 1);
        PushField("big_number", line);
        break;
      default:
        lua_pushnil(lua_);
    }
  }

  void PushBytes(char kind, int64_t size) {
    if (size < 0 || static_cast<size_t>(size) + 2 > rest_.size()) {
      lua_pushboolean(lua_, 0);
      return;
    }
    const std::string_view bytes = rest_.substr(0, static_cast<size_t>(size));
    rest_.remove_prefix(bytes.size() + 2);
    if (kind == '$' || bytes.size() < 4) {
      PushView(lua_, bytes);
      return;
    }
    lua_createtable(lua_, 0, 1);
    lua_createtable(lua_, 0, 2);
    PushField("string", bytes.substr(4));
    PushField("format", bytes.substr(0, 3));
    lua_setfield(lua_, -2, "verbatim_string");
  }

  void PushArray(int64_t count) {
    if (count < 0) {
      lua_pushboolean(lua_, 0);
      return;
    }
    lua_createtable(lua_, SizeHint(count), 0);
    for (int i = 1; i <= count && !rest_.empty(); ++i) {
      Push();
      lua_rawseti(lua_, -2, i);
    }
  }

  // Key and value on top of the stack go into the table below; nil cannot be a key.
  void SetPair() {
    if (lua_isnil(lua_, -2)) {
      lua_pop(lua_, 2);
    } else {
      lua_rawset(lua_, -3);
    }
  }

  void PushMap(int64_t count) {
    lua_createtable(lua_, 0, 1);
    lua_createtable(lua_, 0, SizeHint(count));
    for (int64_t i = 0; i < count && !rest_.empty(); ++i) {
      Push();
      Push();
      SetPair();
    }
    lua_setfield(lua_, -2, "map");
  }

  void PushSet(int64_t count) {
    lua_createtable(lua_, 0, 1);
    lua_createtable(lua_, 0, SizeHint(count));
    for (int64_t i = 0; i < count && !rest_.empty(); ++i) {
      Push();
      lua_pushboolean(lua_, 1);
      SetPair();
    }
    lua_setfield(lua_, -2, "set");
  }

  void SkipAttributes(int64_t count) {
    for (int64_t i = 0; i < 2 * count && !rest_.empty(); ++i) {
      Push();
      lua_pop(lua_, 1);
    }
  }

  // No more room than the bytes that are there could fill.
  int SizeHint(int64_t count) const {
    const auto most = static_cast<int64_t>(rest_.size() / 3);
    return static_cast<int>(count < most ? count : most);
  }

  lua_State* lua_;
  std::string_view rest_;
  int depth_ = 0;
};

}  // namespace

void PushReply(lua_State* lua, std::string_view resp) { ReplyReader(lua, resp).Push(); }

}  // namespace mikura::engine::scripting
