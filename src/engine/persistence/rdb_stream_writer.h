// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/collections/stream_value.h"
#include "engine/persistence/rdb_value_writer.h"

namespace mikura::engine {

// The body of a stream, as kRdbTypeStream2.
Status AppendRdbStream(std::string& out, const collections::StreamValue& stream,
                       const RdbFlush& flush, RdbPlainTexts* texts);

}  // namespace mikura::engine
