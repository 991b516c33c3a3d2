// SPDX-License-Identifier: Apache-2.0
// The order in which the trees of hashes and sets hold their elements, and in which HSCAN and SSCAN
// visit them.
#pragma once

#include <cstdint>
#include <string_view>

namespace mikura::engine::collections {

// 53 bits, so that a cursor survives clients that read it into a double. The same in every process:
// a scan may go on at a replica. Elements with the same hash are told apart by their bytes, so
// whoever chooses them to collide gains nothing.
uint64_t ElementHash(std::string_view element);

}  // namespace mikura::engine::collections
