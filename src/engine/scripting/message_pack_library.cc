// SPDX-License-Identifier: Apache-2.0
// cmsgpack: MessagePack as the library of that name writes and reads it.
// Source: the MessagePack specification; what is compared with Redis in oracle_test.cc.
#include <bit>
#include <climits>
#include <cmath>
#include <cstring>

#include "engine/scripting/libraries.h"
#include "engine/scripting/read_only.h"
#include "engine/scripting/sandbox.h"

namespace mikura::engine::scripting {
namespace {

constexpr int kPackDepthMax = 16;  // deeper tables become nil, so that cycles end
constexpr int kUnpackDepthMax = 2'000;
constexpr size_t kBytesPerStep = 16;

// The bytes of a value, most significant first.
template <typename Value>
void AppendBigEndian(std::string& out, Value value) {
  for (int shift = 8 * (static_cast<int>(sizeof(Value)) - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>(value >> shift);
  }
}

class Packer {
 public:
  explicit Packer(lua_State* lua)
      : lua_(lua), sandbox_(LuaSandbox::Of(lua)), out_(sandbox_.scratch) {
    out_.clear();
  }

  // The value on top of the stack, which is popped.
  void Value(int depth) {
    sandbox_.Spend(lua_, 1);
    sandbox_.CheckScratch(lua_, out_.size());
    switch (lua_type(lua_, -1)) {
      case LUA_TSTRING:
        String(ViewAt(lua_, -1));
        break;
      case LUA_TBOOLEAN:
        Byte(lua_toboolean(lua_, -1) != 0 ? 0xc3 : 0xc2);
        break;
      case LUA_TNUMBER:
        Number(lua_tonumber(lua_, -1));
        break;
      case LUA_TTABLE:
        if (depth == kPackDepthMax) {
          Byte(0xc0);
        } else {
          Table(depth);
        }
        break;
      default:
        Byte(0xc0);
    }
    lua_pop(lua_, 1);
  }

 private:
  void Byte(uint32_t byte) { out_ += static_cast<char>(byte); }

  void String(std::string_view bytes) {
    sandbox_.Spend(lua_, bytes.size() / kBytesPerStep);
    sandbox_.CheckScratch(lua_, out_.size() + bytes.size());
    const auto size = static_cast<uint32_t>(bytes.size());
    if (size < 32) {
      Byte(0xa0 | size);
    } else if (size <= UINT8_MAX) {
      Byte(0xd9);
      Byte(size);
    } else {
      Count(0xda, size);
    }
    out_ += bytes;
  }

  // A count of two bytes behind `code`, or of four behind the next code.
  void Count(uint32_t code, uint32_t count) {
    if (count <= UINT16_MAX) {
      Byte(code);
      AppendBigEndian(out_, static_cast<uint16_t>(count));
    } else {
      Byte(code + 1);
      AppendBigEndian(out_, count);
    }
  }

  void Number(double number) {
    const bool is_integer = number >= -9.2233720368547758e18 && number < 9.2233720368547758e18 &&
                            std::trunc(number) == number;
    if (is_integer) return Integer(static_cast<int64_t>(number));
    const auto single = static_cast<float>(number);
    if (static_cast<double>(single) == number) {
      Byte(0xca);
      AppendBigEndian(out_, std::bit_cast<uint32_t>(single));
    } else {
      Byte(0xcb);
      AppendBigEndian(out_, std::bit_cast<uint64_t>(number));
    }
  }

  void Integer(int64_t number) {
    if (number >= -32 && number <= 127) {
      Byte(static_cast<uint32_t>(number));
    } else if (number >= 0) {
      Unsigned(static_cast<uint64_t>(number));
    } else {
      Negative(number);
    }
  }

  void Unsigned(uint64_t number) {
    if (number <= UINT8_MAX) {
      Byte(0xcc);
      AppendBigEndian(out_, static_cast<uint8_t>(number));
    } else if (number <= UINT16_MAX) {
      Byte(0xcd);
      AppendBigEndian(out_, static_cast<uint16_t>(number));
    } else if (number <= UINT32_MAX) {
      Byte(0xce);
      AppendBigEndian(out_, static_cast<uint32_t>(number));
    } else {
      Byte(0xcf);
      AppendBigEndian(out_, number);
    }
  }

  void Negative(int64_t number) {
    if (number >= INT8_MIN) {
      Byte(0xd0);
      AppendBigEndian(out_, static_cast<uint8_t>(number));
    } else if (number >= INT16_MIN) {
      Byte(0xd1);
      AppendBigEndian(out_, static_cast<uint16_t>(number));
    } else if (number >= INT32_MIN) {
      Byte(0xd2);
      AppendBigEndian(out_, static_cast<uint32_t>(number));
    } else {
      Byte(0xd3);
      AppendBigEndian(out_, static_cast<uint64_t>(number));
    }
  }

  void Table(int depth) {
    luaL_checkstack(lua_, 6, "table is nested too deeply");
    size_t count = 0;
    if (IsArray(count)) {
      Header(0x90, 0xdc, count);
      for (size_t i = 1; i <= count; ++i) {
        lua_rawgeti(lua_, -1, static_cast<int>(i));
        Value(depth + 1);
      }
      return;
    }
    Header(0x80, 0xde, count);
    for (lua_pushnil(lua_); lua_next(lua_, -2) != 0;) {
      lua_pushvalue(lua_, -2);
      Value(depth + 1);
      Value(depth + 1);
    }
  }

  void Header(uint32_t small_code, uint32_t code, size_t count) {
    if (count <= 15) {
      Byte(small_code | static_cast<uint32_t>(count));
    } else {
      Count(code, static_cast<uint32_t>(count));
    }
  }

  // Whether the keys are 1 to n without holes; `count`: of all elements.
  bool IsArray(size_t& count) {
    double most = 0;
    bool is_array = true;
    for (lua_pushnil(lua_); lua_next(lua_, -2) != 0; lua_pop(lua_, 1)) {
      sandbox_.Spend(lua_, 1);
      ++count;
      const double key = lua_type(lua_, -2) == LUA_TNUMBER ? lua_tonumber(lua_, -2) : 0;
      if (key < 1 || std::trunc(key) != key || key > INT_MAX) is_array = false;
      if (key > most) most = key;
    }
    return is_array && most == static_cast<double>(count);
  }

  lua_State* lua_;
  LuaSandbox& sandbox_;
  std::string& out_;
};

class Unpacker {
 public:
  Unpacker(lua_State* lua, std::string_view rest)
      : lua_(lua), sandbox_(LuaSandbox::Of(lua)), rest_(rest) {}

  size_t left() const { return rest_.size(); }

  // Pushes the next value.
  void Push() {
    sandbox_.Spend(lua_, 1);
    luaL_checkstack(lua_, 2,
                    "too many return values at once; use unpack_one or unpack_limit instead.");
    if (rest_.empty()) Missing();
    const auto code = static_cast<uint8_t>(rest_[0]);
    if (code <= 0x7f || code >= 0xe0) {
      rest_.remove_prefix(1);
      return lua_pushnumber(lua_, static_cast<int8_t>(code));
    }
    if (code <= 0x8f) return Map(1, code & 0x0f);
    if (code <= 0x9f) return Array(1, code & 0x0f);
    if (code <= 0xbf) return Bytes(1, code & 0x1f);
    PushCoded(code);
  }

 private:
  void Missing() { luaL_error(lua_, "Missing bytes in input."); }

  void PushCoded(uint8_t code) {
    switch (code) {
      case 0xc0:
        rest_.remove_prefix(1);
        return lua_pushnil(lua_);
      case 0xc2:
      case 0xc3:
        rest_.remove_prefix(1);
        return lua_pushboolean(lua_, code == 0xc3);
      case 0xca:
        return lua_pushnumber(lua_, std::bit_cast<float>(static_cast<uint32_t>(Take(4))));
      case 0xcb:
        return lua_pushnumber(lua_, std::bit_cast<double>(Take(8)));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return lua_pushnumber(lua_, static_cast<double>(Take(size_t{1} << (code - 0xcc))));
      case 0xd0:
        return lua_pushnumber(lua_, static_cast<int8_t>(Take(1)));
      case 0xd1:
        return lua_pushnumber(lua_, static_cast<int16_t>(Take(2)));
      case 0xd2:
        return lua_pushnumber(lua_, static_cast<int32_t>(Take(4)));
      case 0xcf:  // above 2^63 negative, as in Redis
      case 0xd3:
        return lua_pushnumber(lua_, static_cast<double>(static_cast<int64_t>(Take(8))));
      default:
        return PushCounted(code);
    }
  }

  void PushCounted(uint8_t code) {
    switch (code) {
      case 0xd9:
      case 0xda:
      case 0xdb:
        return Bytes(0, Take(size_t{1} << (code - 0xd9)));
      case 0xdc:
      case 0xdd:
        return Array(0, Take(size_t{2} << (code - 0xdc)));
      case 0xde:
      case 0xdf:
        return Map(0, Take(size_t{2} << (code - 0xde)));
      default:
        luaL_error(lua_, "Bad data format in input.");
    }
  }

  // The code and `bytes` behind it, which it returns.
  uint64_t Take(size_t bytes) {
    if (rest_.size() < 1 + bytes) Missing();
    uint64_t value = 0;
    for (size_t i = 1; i <= bytes; ++i) value = (value << 8) | static_cast<uint8_t>(rest_[i]);
    rest_.remove_prefix(1 + bytes);
    return value;
  }

  void Bytes(size_t skipped, uint64_t size) {
    rest_.remove_prefix(skipped);
    if (rest_.size() < size) Missing();
    sandbox_.Spend(lua_, size / kBytesPerStep);
    PushView(lua_, rest_.substr(0, size));
    rest_.remove_prefix(size);
  }

  void Descend() {
    if (++depth_ > kUnpackDepthMax) luaL_error(lua_, "Bad data format in input.");
  }

  void Array(size_t skipped, uint64_t count) {
    rest_.remove_prefix(skipped);
    Descend();
    lua_newtable(lua_);
    for (uint64_t i = 1; i <= count; ++i) {
      Push();
      lua_rawseti(lua_, -2, static_cast<int>(i));
    }
    --depth_;
  }

  void Map(size_t skipped, uint64_t count) {
    rest_.remove_prefix(skipped);
    Descend();
    lua_newtable(lua_);
    for (uint64_t i = 0; i < count; ++i) {
      Push();
      Push();
      // Raises for the keys that Lua has not: nil and NaN.
      lua_settable(lua_, -3);
    }
    --depth_;
  }

  lua_State* lua_;
  LuaSandbox& sandbox_;
  std::string_view rest_;
  int depth_ = 0;
};

int Pack(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (count == 0) return luaL_argerror(lua, 0, "MessagePack pack needs input.");
  luaL_checkstack(lua, 1, "Too many arguments for MessagePack pack.");
  Packer packer(lua);
  for (int i = 1; i <= count; ++i) {
    lua_pushvalue(lua, i);
    packer.Value(0);
  }
  PushView(lua, LuaSandbox::Of(lua).scratch);
  return 1;
}

// Pushes up to `limit` values; in front of them where to go on, unless all were asked for.
int UnpackSome(lua_State* lua, int64_t limit, int64_t offset) {
  const std::string_view input = CheckView(lua, 1);
  const auto size = static_cast<int64_t>(input.size());
  if (offset < 0 || limit < 0) {
    return luaL_error(lua, "Invalid request to unpack with offset of %d and limit of %d.",
                      static_cast<int>(offset), static_cast<int>(size));
  }
  if (offset > size) {
    return luaL_error(lua, "Start offset %d greater than input length %d.",
                      static_cast<int>(offset), static_cast<int>(size));
  }
  const bool all = limit == 0 && offset == 0;
  if (all) limit = INT_MAX;
  Unpacker unpacker(lua, input.substr(static_cast<size_t>(offset)));
  int count = 0;
  for (; unpacker.left() > 0 && count < limit; ++count) unpacker.Push();
  if (all) return count;
  luaL_checkstack(lua, 1, "too many return values at once");
  const auto next = static_cast<int64_t>(input.size() - unpacker.left());
  lua_pushnumber(lua, unpacker.left() == 0 ? -1 : static_cast<double>(next));
  lua_insert(lua, 2);
  return count + 1;
}

int Unpack(lua_State* lua) {
  CheckView(lua, 1);
  lua_settop(lua, 1);
  return UnpackSome(lua, 0, 0);
}

int UnpackOne(lua_State* lua) {
  const int64_t offset = OptInt64(lua, 2, 0);
  lua_settop(lua, 1);
  return UnpackSome(lua, 1, offset);
}

int UnpackLimit(lua_State* lua) {
  const int64_t limit = CheckInt64(lua, 2);
  const int64_t offset = OptInt64(lua, 3, 0);
  lua_settop(lua, 1);
  return UnpackSome(lua, limit, offset);
}

constexpr luaL_Reg kFunctions[] = {{"pack", Pack},
                                   {"unpack", Unpack},
                                   {"unpack_limit", UnpackLimit},
                                   {"unpack_one", UnpackOne},
                                   {nullptr, nullptr}};

}  // namespace

void AddMessagePackLibrary(lua_State* lua, int globals) {
  lua_newtable(lua);
  AddFunctions(lua, kFunctions);
  lua_pushliteral(lua, "cmsgpack");
  lua_setfield(lua, -2, "_NAME");
  lua_pushliteral(lua, "lua-cmsgpack 0.4.0");
  lua_setfield(lua, -2, "_VERSION");
  MakeReadOnly(lua);
  lua_setfield(lua, globals, "cmsgpack");
}

}  // namespace mikura::engine::scripting
