// SPDX-License-Identifier: Apache-2.0
// string.format as Lua 5.1 has it: LuaJIT's rounds "%.0f" differently, quotes differently, and
// knows more letters.
#include "engine/scripting/string_format.h"

#include <cctype>
#include <cstdio>
#include <cstring>

#include "engine/scripting/sandbox.h"

namespace mikura::engine::scripting {
namespace {

constexpr size_t kItemBytesMax = 512;  // "%99.99f" of the greatest double fits
constexpr size_t kLongString = 100;    // from here on a string without precision is added as it is

bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// One "%..." of the format, as snprintf takes it.
class Item {
 public:
  // Reads flags, width, precision and the letter from `at`, which moves behind them.
  Item(lua_State* lua, const char*& at) {
    constexpr char kFlags[] = "-+ #0";
    const char* p = at;
    while (*p != '\0' && std::strchr(kFlags, *p) != nullptr) ++p;
    if (static_cast<size_t>(p - at) >= sizeof(kFlags)) {
      luaL_error(lua, "invalid format (repeated flags)");
    }
    for (int i = 0; i < 2 && IsDigit(*p); ++i) ++p;
    if (*p == '.') {
      has_precision_ = true;
      ++p;
      for (int i = 0; i < 2 && IsDigit(*p); ++i) ++p;
    }
    if (IsDigit(*p)) luaL_error(lua, "invalid format (width or precision too long)");
    size_ = static_cast<size_t>(p - at);
    text_[0] = '%';
    std::memcpy(text_ + 1, at, size_);
    letter_ = *p;
    at = *p == '\0' ? p : p + 1;
  }

  char letter() const { return letter_; }
  bool has_precision() const { return has_precision_; }

  // Formats `value`; `modifier` stands in front of the letter.
  template <typename Value>
  void Add(luaL_Buffer& out, const char* modifier, Value value) {
    std::snprintf(text_ + 1 + size_, sizeof(text_) - 1 - size_, "%s%c", modifier, letter_);
    char item[kItemBytesMax];
    const int size = std::snprintf(item, sizeof(item), text_, value);
    luaL_addlstring(&out, item, static_cast<size_t>(size));
  }

 private:
  char text_[32] = {};
  size_t size_ = 0;
  char letter_ = '\0';
  bool has_precision_ = false;
};

void AddQuoted(luaL_Buffer& out, std::string_view text) {
  luaL_addchar(&out, '"');
  for (const char c : text) {
    switch (c) {
      case '"':
      case '\\':
      case '\n':
        luaL_addchar(&out, '\\');
        luaL_addchar(&out, c);
        break;
      case '\r':
        luaL_addlstring(&out, "\\r", 2);
        break;
      case '\0':
        luaL_addlstring(&out, "\\000", 4);
        break;
      default:
        luaL_addchar(&out, c);
    }
  }
  luaL_addchar(&out, '"');
}

void AddString(lua_State* lua, luaL_Buffer& out, Item& item, int argument) {
  const std::string_view text = CheckView(lua, argument);
  if (!item.has_precision() && text.size() >= kLongString) {
    lua_pushvalue(lua, argument);
    luaL_addvalue(&out);
  } else {
    item.Add(out, "", text.data());
  }
}

void AddItem(lua_State* lua, luaL_Buffer& out, Item& item, int argument) {
  switch (item.letter()) {
    case 'c':
      return item.Add(out, "", static_cast<int>(CheckInt64(lua, argument)));
    case 'd':
    case 'i':
      return item.Add(out, "l", static_cast<long>(CheckInt64(lua, argument)));
    case 'o':
    case 'u':
    case 'x':
    case 'X': {
      const double number = luaL_checknumber(lua, argument);
      const bool is_large = number >= 9.2233720368547758e18 && number < 1.8446744073709552e19;
      const auto bits =
          is_large ? static_cast<uint64_t>(number) : static_cast<uint64_t>(ToInt64(number));
      return item.Add(out, "l", static_cast<unsigned long>(bits));
    }
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G':
      return item.Add(out, "", luaL_checknumber(lua, argument));
    case 'q':
      return AddQuoted(out, CheckView(lua, argument));
    case 's':
      return AddString(lua, out, item, argument);
    default:
      luaL_error(lua, "invalid option '%%%c' to 'format'", item.letter());
  }
}

}  // namespace

int FormatString(lua_State* lua) {
  const std::string_view format = CheckView(lua, 1);
  const int arguments = lua_gettop(lua);
  int argument = 1;
  luaL_Buffer out;
  luaL_buffinit(lua, &out);
  const char* at = format.data();
  const char* end = format.data() + format.size();
  while (at < end) {
    if (*at != '%') {
      luaL_addchar(&out, *at++);
      continue;
    }
    ++at;
    if (*at == '%') {
      luaL_addchar(&out, *at++);
      continue;
    }
    if (++argument > arguments) return luaL_argerror(lua, argument, "no value");
    Item item(lua, at);
    AddItem(lua, out, item, argument);
  }
  luaL_pushresult(&out);
  return 1;
}

}  // namespace mikura::engine::scripting
