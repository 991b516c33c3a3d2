// SPDX-License-Identifier: Apache-2.0
// Where LuaJIT takes a program differently from Lua 5.1, as far as scripts can notice.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mikura::engine::scripting {

// Strings of Lua 5.1 may escape any character, and "\x", "\u" and "\z" mean nothing special in
// them; LuaJIT refuses the first and obeys the others. The program without such backslashes, or
// nothing when it has none.
std::optional<std::string> PlainEscapes(std::string_view code);

// The first number with a suffix that LuaJIT gives 64-bit integers and imaginary numbers ("1LL",
// "2i"), or in binary digits, outside of strings and comments: behind the first ones the foreign
// function interface would come to life. The error's text, with the line, or nothing.
std::optional<std::string> FindForeignNumber(std::string_view code, std::string_view chunk);

// The global under which the function stands that gives back its arguments. No program of Lua 5.1
// can name it.
inline constexpr char kPassThrough[] = "\xff";

// "return redis.call(...)" replaces the frame of its function by that of redis.call, and errors
// could not say where they happened. Lua 5.1 keeps that place when the callee is not written in
// Lua. So that we do too, such a call becomes "return PASS(redis.call(...))", unless a function of
// that name is written in the program itself: those may call themselves without end. Lines stay
// what they are. Nothing when there is nothing to change. `code` compiles.
std::optional<std::string> KeepCallers(std::string_view code);

}  // namespace mikura::engine::scripting
