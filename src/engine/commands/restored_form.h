// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/collections/collection.h"
#include "engine/commands/encoding_limits.h"

namespace mikura::engine {

// Gives a collection that was read from RDB form the name that OBJECT ENCODING has for it in Redis
// then. That depends on its elements and on how they were written, not on its name before.
//
// rdb_type: of persistence/rdb_format.h. Cost: O(elements), for those that are small only.
void ApplyRestoredForm(collections::Collection& value, uint8_t rdb_type,
                       const EncodingLimits& limits);

}  // namespace mikura::engine
