// SPDX-License-Identifier: Apache-2.0
// struct: values of C types in strings, described by a format of one letter each.
#include <bit>
#include <cctype>
#include <cstring>

#include "engine/scripting/libraries.h"
#include "engine/scripting/read_only.h"
#include "engine/scripting/sandbox.h"

namespace mikura::engine::scripting {
namespace {

constexpr size_t kIntegerBytesMax = 32;
constexpr size_t kAlignMax = 8;

// Reads a format letter by letter, with what the letters before have set.
class Format {
 public:
  explicit Format(lua_State* lua) : lua_(lua), at_(luaL_checkstring(lua, 1)) {}

  // Takes the next letter and its size; false at the end.
  bool Next() {
    if (*at_ == '\0') return false;
    letter_ = *at_++;
    size_ = SizeOfLetter();
    return true;
  }

  char letter() const { return letter_; }
  size_t size() const { return size_; }
  bool is_big_endian() const { return is_big_endian_; }

  // Bytes to leave out in front of the letter's value at `position`.
  size_t Padding(size_t position) const {
    if (size_ == 0 || letter_ == 'c') return 0;
    const size_t align = size_ > align_ ? align_ : size_;
    return (align - (position & (align - 1))) & (align - 1);
  }

  // Letters that stand for no value.
  void Control() {
    switch (letter_) {
      case ' ':
        return;
      case '>':
        is_big_endian_ = true;
        return;
      case '<':
        is_big_endian_ = false;
        return;
      case '!': {
        const size_t align = Number(kAlignMax);
        if (!std::has_single_bit(align)) {
          luaL_error(lua_, "alignment %d is not a power of 2", static_cast<int>(align));
        }
        align_ = align;
        return;
      }
      default:
        lua_pushfstring(lua_, "invalid format option '%c'", letter_);
        luaL_argerror(lua_, 1, lua_tostring(lua_, -1));
    }
  }

 private:
  size_t SizeOfLetter() {
    switch (letter_) {
      case 'B':
      case 'b':
      case 'x':
        return 1;
      case 'H':
      case 'h':
        return 2;
      case 'f':
        return 4;
      case 'L':
      case 'l':
      case 'T':
      case 'd':
        return 8;
      case 'c':
        return Number(1);
      case 'i':
      case 'I': {
        const size_t size = Number(sizeof(int));
        if (size > kIntegerBytesMax) {
          luaL_error(lua_, "integral size %d is larger than limit of %d", static_cast<int>(size),
                     static_cast<int>(kIntegerBytesMax));
        }
        return size;
      }
      default:
        return 0;
    }
  }

  // The digits behind a letter.
  size_t Number(size_t otherwise) {
    if (std::isdigit(static_cast<unsigned char>(*at_)) == 0) return otherwise;
    int64_t number = 0;
    while (std::isdigit(static_cast<unsigned char>(*at_)) != 0) {
      number = number * 10 + (*at_++ - '0');
      if (number > INT32_MAX) luaL_error(lua_, "integral size overflow");
    }
    return static_cast<size_t>(number);
  }

  lua_State* lua_;
  const char* at_;
  char letter_ = '\0';
  size_t size_ = 0;
  size_t align_ = 1;
  bool is_big_endian_ = false;
};

bool IsInteger(char letter) {
  return letter != '\0' && std::strchr("bBhHlLTiI", letter) != nullptr;
}

uint64_t IntegerBits(double number) {
  if (number < 0) return static_cast<uint64_t>(ToInt64(number));
  if (number >= 18446744073709551616.0) return UINT64_MAX;
  return number == number ? static_cast<uint64_t>(number) : 0;
}

// `size` bytes of `value`; above the eighth they are zero.
void AppendInteger(std::string& out, uint64_t value, const Format& format) {
  const size_t size = format.size();
  for (size_t i = 0; i < size; ++i) {
    const size_t place = format.is_big_endian() ? size - 1 - i : i;
    out += place < sizeof(value) ? static_cast<char>(value >> (8 * place)) : '\0';
  }
}

double ReadInteger(const char* bytes, const Format& format) {
  const size_t size = format.size();
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) {
    const size_t place = format.is_big_endian() ? i : size - 1 - i;
    value = (value << 8) | static_cast<uint8_t>(bytes[place]);
  }
  if (std::islower(static_cast<unsigned char>(format.letter())) == 0) {
    return static_cast<double>(value);
  }
  if (size < sizeof(value) && size > 0) {
    const uint64_t sign = uint64_t{1} << (8 * size - 1);
    value = (value ^ sign) - sign;
  }
  return static_cast<double>(static_cast<int64_t>(value));
}

template <typename Bits>
void AppendBits(std::string& out, Bits bits, bool is_big_endian) {
  char bytes[sizeof(bits)];
  std::memcpy(bytes, &bits, sizeof(bits));
  for (size_t i = 0; i < sizeof(bits); ++i) {
    out += bytes[is_big_endian ? sizeof(bits) - 1 - i : i];
  }
}

template <typename Bits>
Bits ReadBits(const char* from, bool is_big_endian) {
  char bytes[sizeof(Bits)];
  for (size_t i = 0; i < sizeof(Bits); ++i) {
    bytes[i] = from[is_big_endian ? sizeof(Bits) - 1 - i : i];
  }
  Bits bits;
  std::memcpy(&bits, bytes, sizeof(bits));
  return bits;
}

// One value of struct.pack; returns its bytes.
size_t PackString(lua_State* lua, std::string& out, const Format& format, int argument) {
  const std::string_view bytes = CheckView(lua, argument);
  const size_t size = format.size() == 0 ? bytes.size() : format.size();
  // Redis names the next argument.
  luaL_argcheck(lua, bytes.size() >= size, argument + 1, "string too short");
  LuaSandbox::Of(lua).CheckScratch(lua, out.size() + size);
  out += bytes.substr(0, size);
  if (format.letter() != 's') return size;
  out += '\0';
  return size + 1;
}

int Pack(lua_State* lua) {
  Format format(lua);
  lua_pushnil(lua);  // a missing argument is nil in messages
  LuaSandbox& sandbox = LuaSandbox::Of(lua);
  std::string& out = sandbox.scratch;
  out.clear();
  int argument = 2;
  while (format.Next()) {
    sandbox.Spend(lua, 1);
    sandbox.CheckScratch(lua, out.size());
    out.append(format.Padding(out.size()), '\0');
    const char letter = format.letter();
    if (IsInteger(letter)) {
      AppendInteger(out, IntegerBits(luaL_checknumber(lua, argument++)), format);
    } else if (letter == 'x') {
      out += '\0';
    } else if (letter == 'f') {
      const auto number = static_cast<float>(luaL_checknumber(lua, argument++));
      AppendBits(out, std::bit_cast<uint32_t>(number), format.is_big_endian());
    } else if (letter == 'd') {
      const double number = luaL_checknumber(lua, argument++);
      AppendBits(out, std::bit_cast<uint64_t>(number), format.is_big_endian());
    } else if (letter == 'c' || letter == 's') {
      PackString(lua, out, format, argument++);
    } else {
      format.Control();
    }
  }
  PushView(lua, out);
  return 1;
}

void CheckData(lua_State* lua, std::string_view data, size_t position, size_t size) {
  luaL_argcheck(lua, size <= data.size() && position <= data.size() - size, 2,
                "data string too short");
}

// Pushes the string of a 'c' or 's' at `position`; returns how many bytes it takes. `count`: of
// results so far, the last of which a "c0" uses up as its size.
size_t UnpackString(lua_State* lua, const Format& format, std::string_view data, size_t position,
                    int& count) {
  size_t size = format.size();
  if (format.letter() == 's') {
    const size_t end = data.find('\0', position);
    if (end == std::string_view::npos) luaL_error(lua, "unfinished string in data");
    size = end - position;
    PushView(lua, data.substr(position, size));
    ++count;
    return size + 1;
  }
  if (size == 0) {
    if (count == 0 || lua_isnumber(lua, -1) == 0) {
      luaL_error(lua, "format 'c0' needs a previous size");
    }
    const int64_t given = ToInt64(lua_tonumber(lua, -1));
    lua_pop(lua, 1);
    --count;
    size = static_cast<size_t>(given);
    CheckData(lua, data, position, size);
  }
  PushView(lua, data.substr(position, size));
  ++count;
  return size;
}

int Unpack(lua_State* lua) {
  Format format(lua);
  LuaSandbox& sandbox = LuaSandbox::Of(lua);
  const std::string_view data = CheckView(lua, 2);
  const int64_t first = OptInt64(lua, 3, 1);
  // As unsigned: a negative one is far behind the end.
  luaL_argcheck(lua, first != 0, 3, "offset must be 1 or greater");
  auto position = static_cast<size_t>(first - 1);
  int count = 0;
  lua_settop(lua, 2);
  while (format.Next()) {
    sandbox.Spend(lua, 1);
    position += format.Padding(position);
    size_t size = format.size();
    CheckData(lua, data, position, size);
    luaL_checkstack(lua, 4, "too many results");
    const char letter = format.letter();
    const char* bytes = data.data() + position;
    if (IsInteger(letter)) {
      lua_pushnumber(lua, ReadInteger(bytes, format));
      ++count;
    } else if (letter == 'f') {
      lua_pushnumber(lua, std::bit_cast<float>(ReadBits<uint32_t>(bytes, format.is_big_endian())));
      ++count;
    } else if (letter == 'd') {
      lua_pushnumber(lua, std::bit_cast<double>(ReadBits<uint64_t>(bytes, format.is_big_endian())));
      ++count;
    } else if (letter == 'c' || letter == 's') {
      size = UnpackString(lua, format, data, position, count);
    } else if (letter != 'x') {
      format.Control();
    }
    position += size;
  }
  lua_pushnumber(lua, static_cast<double>(static_cast<int64_t>(position)) + 1);
  return count + 1;
}

int Size(lua_State* lua) {
  Format format(lua);
  LuaSandbox& sandbox = LuaSandbox::Of(lua);
  size_t position = 0;
  while (format.Next()) {
    sandbox.Spend(lua, 1);
    const char letter = format.letter();
    position += format.Padding(position);
    if (letter == 's') luaL_argerror(lua, 1, "option 's' has no fixed size");
    if (letter == 'c' && format.size() == 0) luaL_argerror(lua, 1, "option 'c0' has no fixed size");
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) format.Control();
    position += format.size();
  }
  lua_pushnumber(lua, static_cast<double>(position));
  return 1;
}

constexpr luaL_Reg kFunctions[] = {
    {"pack", Pack}, {"size", Size}, {"unpack", Unpack}, {nullptr, nullptr}};

}  // namespace

void AddStructLibrary(lua_State* lua, int globals) {
  lua_newtable(lua);
  AddFunctions(lua, kFunctions);
  MakeReadOnly(lua);
  lua_setfield(lua, globals, "struct");
}

}  // namespace mikura::engine::scripting
