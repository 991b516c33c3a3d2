// SPDX-License-Identifier: Apache-2.0
// The memory of the machine that cache nodes share, as the service found it when it started.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mikura::control {

struct HostCapacity {
  int64_t memory_bytes = 0;
  int64_t scale_millionths = 1'000'000;  // part of its type's memory that a node gets

  // What a node of a type with `type_bytes` takes.
  int64_t BytesOfNode(int64_t type_bytes) const;
};

std::string ToJson(const HostCapacity& capacity);
Result<HostCapacity> HostCapacityFromJson(std::string_view text);

}  // namespace mikura::control
