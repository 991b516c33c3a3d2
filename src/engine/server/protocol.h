// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace mikura::engine {

enum class Protocol : uint8_t { kResp, kMemcached };

}  // namespace mikura::engine
