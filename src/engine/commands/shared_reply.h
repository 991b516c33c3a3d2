// SPDX-License-Identifier: Apache-2.0
// Large values in replies: sent from where they are stored, without a copy.
#pragma once

#include <optional>

#include "engine/store/entry.h"
#include "wire/output_buffer.h"

namespace mikura::engine {

// ShareLargeValue() of a value outside of its entry.
std::optional<wire::SharedBytes> ShareLargeBlock(const wire::OutputBuffer& out,
                                                 store::ValueBlock* block, size_t left_out);

// The entry's value, without its last `left_out` bytes, as a reference that keeps them as they are:
// when it is large and `out` takes references; nothing otherwise. O(1).
inline std::optional<wire::SharedBytes> ShareLargeValue(const wire::OutputBuffer& out,
                                                        const store::Entry& entry,
                                                        size_t left_out = 0) {
  if (!entry.is_external()) [[likely]]
    return std::nullopt;
  return ShareLargeBlock(out, entry.block(), left_out);
}

}  // namespace mikura::engine
