// SPDX-License-Identifier: Apache-2.0
// The answer to SLOWLOG GET, of clients and of the admin socket.
#pragma once

#include <cstddef>

#include "engine/observation/slow_log.h"
#include "wire/resp_writer.h"

namespace mikura::engine {

// The newest entries, at most `count`.
void ReplyNewest(wire::RespWriter& reply, const SlowLog& log, size_t count);

}  // namespace mikura::engine
