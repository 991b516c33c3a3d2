// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "engine/collections/tree_node.h"
#include "engine/store/entry.h"

namespace mikura::engine {

// The name that Redis has for the form of such a value: "int", "embstr", "listpack" ... It follows
// from what the value holds, and from limits that it once passed; the form in which we keep it is
// another matter. The entry's shard is locked.
std::string_view EncodingName(const store::Entry& entry, collections::NodeMemory& memory);

}  // namespace mikura::engine
