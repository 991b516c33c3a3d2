// SPDX-License-Identifier: Apache-2.0
// What LuaJIT would compile and Lua 5.1 would not, as far as it matters.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mikura::engine::scripting {

// The first number with a suffix that LuaJIT gives 64-bit integers and imaginary numbers ("1LL",
// "2i"), outside of strings and comments: behind those literals the foreign function interface
// would come to life. The error's text, with the line, or nothing.
std::optional<std::string> FindForeignNumber(std::string_view code, std::string_view chunk);

}  // namespace mikura::engine::scripting
