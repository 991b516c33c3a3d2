// SPDX-License-Identifier: Apache-2.0
// Large values in replies: sent from where they are stored, without a copy.
#pragma once

#include <optional>

#include "engine/store/entry.h"
#include "wire/output_buffer.h"

namespace mikura::engine {

// The entry's value, without its last `left_out` bytes, as a reference that keeps them as they are:
// when it is large and `out` takes references; nothing otherwise. O(1).
std::optional<wire::SharedBytes> ShareLargeValue(const wire::OutputBuffer& out,
                                                 const store::Entry& entry, size_t left_out = 0);

}  // namespace mikura::engine
