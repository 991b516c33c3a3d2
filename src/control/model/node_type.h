// SPDX-License-Identifier: Apache-2.0
// Node types: what a cache node of that name may use.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "control/model/api_error.h"

namespace mikura::control {

struct NodeType {
  std::string_view name;     // "cache.t3.micro"
  int64_t memory_bytes = 0;  // maxmemory of the type, before the reserve
  int64_t virtual_cpus = 0;  // threads of the engine, at most
};

// Errors: kInvalidParameterValue when there is no such type.
ApiResult<NodeType> NodeTypeOf(std::string_view name);
std::span<const NodeType> AllNodeTypes();

// The limit a Redis or Valkey engine gets: a quarter of the type stays reserved for buffers and
// copies, as reserved-memory-percent = 25 does on AWS.
int64_t DataMemoryBytes(const NodeType& type);

}  // namespace mikura::control
