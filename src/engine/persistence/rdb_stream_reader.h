// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "engine/collections/stream_value.h"
#include "engine/persistence/rdb_input.h"

namespace mikura::engine {

// The body of a stream; type: kRdbTypeStream or a later one. Errors: malformed data, entries out of
// order, pending entries of nobody.
Result<std::unique_ptr<collections::StreamValue>> ReadRdbStream(RdbInput& input,
                                                                collections::NodeMemory& memory,
                                                                uint8_t type);

}  // namespace mikura::engine
