// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace mikura::engine {

// Flags of an entry in a stream's node.
inline constexpr uint64_t kStreamDeleted = 1;
inline constexpr uint64_t kStreamSameFields = 2;  // its fields are those of the node's first entry

}  // namespace mikura::engine
