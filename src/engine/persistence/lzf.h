// SPDX-License-Identifier: Apache-2.0
// Expands LZF, the compression of long strings in RDB files. (We do not compress when we write.)
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace mikura::engine {

// Expands `compressed` into exactly `out`. False when the data is malformed or expands to another
// size; never reads or writes outside.
bool ExpandLzf(std::string_view compressed, std::span<char> out);

}  // namespace mikura::engine
