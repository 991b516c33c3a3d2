// SPDX-License-Identifier: Apache-2.0
// A stream as commands; see entry_commands.h.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/collections/stream_value.h"
#include "engine/persistence/rdb_value_writer.h"

namespace mikura::engine {

// XADD for each entry, XSETID, then the groups: XGROUP CREATE and CREATECONSUMER, XCLAIM for what
// is pending. An entry that is pending and was deleted cannot be made by commands: a stream with
// such ones is a RESTORE of its whole value, made in memory. When consumers asked last is lost, as
// in Redis.
Status AppendStreamCommands(std::string& out, std::string_view key,
                            const collections::StreamValue& stream, const RdbFlush& flush);

}  // namespace mikura::engine
