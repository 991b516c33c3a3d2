// SPDX-License-Identifier: Apache-2.0
// cjson.decode. A zero byte ends the text, as Lua's own at its end does.
#include <strings.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "engine/scripting/json_codec.h"
#include "engine/scripting/sandbox.h"

namespace mikura::engine::scripting {
namespace {

enum class Token : uint8_t {
  kObjectBegin,
  kObjectEnd,
  kArrayBegin,
  kArrayEnd,
  kString,  // in the scratch
  kNumber,
  kTrue,
  kFalse,
  kNull,
  kColon,
  kComma,
  kEnd,
  kError,
};

const char* NameOf(Token token) {
  switch (token) {
    case Token::kObjectBegin:
      return "T_OBJ_BEGIN";
    case Token::kObjectEnd:
      return "T_OBJ_END";
    case Token::kArrayBegin:
      return "T_ARR_BEGIN";
    case Token::kArrayEnd:
      return "T_ARR_END";
    case Token::kString:
      return "T_STRING";
    case Token::kNumber:
      return "T_NUMBER";
    case Token::kTrue:
    case Token::kFalse:
      return "T_BOOLEAN";
    case Token::kNull:
      return "T_NULL";
    case Token::kColon:
      return "T_COLON";
    case Token::kComma:
      return "T_COMMA";
    case Token::kEnd:
      return "T_END";
    case Token::kError:
      break;
  }
  return "T_ERROR";
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The four hex digits at `text`, which is ended by a zero byte; -1 when they are not.
int FourHexDigits(const char* text) {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexDigit(text[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

void AppendUtf8(std::string& out, uint32_t code) {
  const auto add = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xc0 | (code >> 6));
    add(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    add(0xe0 | (code >> 12));
    add(0x80 | ((code >> 6) & 0x3f));
    add(0x80 | (code & 0x3f));
  } else {
    add(0xf0 | (code >> 18));
    add(0x80 | ((code >> 12) & 0x3f));
    add(0x80 | ((code >> 6) & 0x3f));
    add(0x80 | (code & 0x3f));
  }
}

class JsonDecoder {
 public:
  JsonDecoder(lua_State* lua, std::string_view text)
      : lua_(lua), sandbox_(LuaSandbox::Of(lua)), begin_(text.data()), at_(text.data()) {}

  void Decode() {
    Next();
    Value();
    Next();
    if (token_ != Token::kEnd) Expected("the end");
  }

 private:
  void Expected(const char* what) {
    luaL_error(lua_, "Expected %s but found %s at character %d", what,
               token_ == Token::kError ? error_ : NameOf(token_),
               static_cast<int>(token_at_ - begin_) + 1);
  }

  void Value() {
    switch (token_) {
      case Token::kString:
        return PushView(lua_, sandbox_.scratch);
      case Token::kNumber:
        return lua_pushnumber(lua_, number_);
      case Token::kTrue:
      case Token::kFalse:
        return lua_pushboolean(lua_, token_ == Token::kTrue);
      case Token::kNull:
        return lua_pushlightuserdata(lua_, nullptr);
      case Token::kObjectBegin:
        return Object();
      case Token::kArrayBegin:
        return Array();
      default:
        Expected("value");
    }
  }

  void Descend() {
    ++depth_;
    const int most = std::min(sandbox_.json.decode_depth_max, kJsonDepthMax);
    if (depth_ > most || lua_checkstack(lua_, 4) == 0) {
      luaL_error(lua_, "Found too many nested data structures (%d) at character %d", depth_,
                 static_cast<int>(token_at_ - begin_) + 1);
    }
  }

  void Object() {
    Descend();
    lua_newtable(lua_);
    Next();
    if (token_ != Token::kObjectEnd) {
      while (true) {
        if (token_ != Token::kString) Expected("object key string");
        PushView(lua_, sandbox_.scratch);
        Next();
        if (token_ != Token::kColon) Expected("colon");
        Next();
        Value();
        lua_rawset(lua_, -3);
        Next();
        if (token_ == Token::kObjectEnd) break;
        if (token_ != Token::kComma) Expected("comma or object end");
        Next();
      }
    }
    --depth_;
  }

  void Array() {
    Descend();
    lua_newtable(lua_);
    Next();
    if (token_ != Token::kArrayEnd) {
      for (int i = 1;; ++i) {
        Value();
        lua_rawseti(lua_, -2, i);
        Next();
        if (token_ == Token::kArrayEnd) break;
        if (token_ != Token::kComma) Expected("comma or array end");
        Next();
      }
    }
    --depth_;
  }

  void Fail(const char* why) {
    token_ = Token::kError;
    error_ = why;
    token_at_ = at_;
  }

  void Take(Token token, size_t size) {
    token_ = token;
    at_ += size;
  }

  bool StartsWith(std::string_view word) const {
    return std::strncmp(at_, word.data(), word.size()) == 0;
  }

  void Next() {
    sandbox_.Spend(lua_, 1);
    while (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r') ++at_;
    token_at_ = at_;
    switch (*at_) {
      case '{':
        return Take(Token::kObjectBegin, 1);
      case '}':
        return Take(Token::kObjectEnd, 1);
      case '[':
        return Take(Token::kArrayBegin, 1);
      case ']':
        return Take(Token::kArrayEnd, 1);
      case ',':
        return Take(Token::kComma, 1);
      case ':':
        return Take(Token::kColon, 1);
      case '\0':
        return Take(Token::kEnd, 0);
      case '"':
        return String();
      default:
        return Word();
    }
  }

  void Word() {
    const bool accepts_invalid = sandbox_.json.decode_invalid == InvalidNumbers::kAccepted;
    if (*at_ == '-' || (*at_ >= '0' && *at_ <= '9')) {
      if (!accepts_invalid && IsInvalidNumber()) return Fail("invalid number");
      return Number();
    }
    if (StartsWith("true")) return Take(Token::kTrue, 4);
    if (StartsWith("false")) return Take(Token::kFalse, 5);
    if (StartsWith("null")) return Take(Token::kNull, 4);
    const bool may_begin_number = std::strchr("+iInN", *at_) != nullptr;
    if (may_begin_number && accepts_invalid && IsInvalidNumber()) return Number();
    Fail("invalid token");
  }

  // What strtod takes and JSON does not: a plus sign, hexadecimal digits, leading zeros, infinity
  // and NaN.
  bool IsInvalidNumber() const {
    if (*at_ == '+') return true;
    const char* p = *at_ == '-' ? at_ + 1 : at_;
    if (*p == '0') return (p[1] | 0x20) == 'x' || (p[1] >= '0' && p[1] <= '9');
    return strncasecmp(p, "inf", 3) == 0 || strncasecmp(p, "nan", 3) == 0;
  }

  void Number() {
    char* end = nullptr;
    number_ = std::strtod(at_, &end);
    if (end == at_) return Fail("invalid number");
    sandbox_.Spend(lua_, static_cast<size_t>(end - at_) / 8);
    token_ = Token::kNumber;
    at_ = end;
  }

  // Into the scratch, which is never longer than the text.
  void String() {
    constexpr size_t kBytesPerStep = 16;
    std::string& out = sandbox_.scratch;
    out.clear();
    ++at_;
    while (*at_ != '"') {
      if (*at_ == '\0') return Fail("unexpected end of string");
      if (*at_ != '\\') {
        out += *at_++;
        continue;
      }
      if (at_[1] == 'u') {
        if (!Unicode(out)) return Fail("invalid unicode escape code");
        continue;
      }
      const char* found = at_[1] == '\0' ? nullptr : std::strchr("\"\\/bfnrt", at_[1]);
      if (found == nullptr) return Fail("invalid escape code");
      out += "\"\\/\b\f\n\r\t"[found - "\"\\/bfnrt"];
      at_ += 2;
    }
    ++at_;
    token_ = Token::kString;
    sandbox_.Spend(lua_, out.size() / kBytesPerStep);
  }

  // "\uXXXX" or a pair of surrogates; at_ is at the backslash and moves behind what was read.
  bool Unicode(std::string& out) {
    const int first = FourHexDigits(at_ + 2);
    if (first < 0) return false;
    auto code = static_cast<uint32_t>(first);
    size_t size = 6;
    if ((code & 0xf800) == 0xd800) {
      if ((code & 0x400) != 0 || at_[6] != '\\' || at_[7] != 'u') return false;
      const int second = FourHexDigits(at_ + 8);
      if (second < 0 || (second & 0xfc00) != 0xdc00) return false;
      code = 0x10000 + ((code & 0x3ff) << 10) + (static_cast<uint32_t>(second) & 0x3ff);
      size = 12;
    }
    AppendUtf8(out, code);
    at_ += size;
    return true;
  }

  lua_State* lua_;
  LuaSandbox& sandbox_;
  const char* begin_;
  const char* at_;
  const char* token_at_ = nullptr;
  const char* error_ = nullptr;
  Token token_ = Token::kEnd;
  double number_ = 0;
  int depth_ = 0;
};

}  // namespace

int DecodeJson(lua_State* lua) {
  luaL_argcheck(lua, lua_gettop(lua) == 1, 1, "expected 1 argument");
  const std::string_view text = CheckView(lua, 1);
  if (text.size() >= 2 && (text[0] == '\0' || text[1] == '\0')) {
    return luaL_error(lua, "JSON parser does not support UTF-16 or UTF-32");
  }
  JsonDecoder(lua, text).Decode();
  return 1;
}

}  // namespace mikura::engine::scripting
