// SPDX-License-Identifier: Apache-2.0
// Node types: what a cache node of that name may use.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

// What a node of another type could become: up to those with at least as much memory, or down.
// Sorted by name.
struct NodeTypeChoices {
  std::vector<std::string> up;
  std::vector<std::string> down;
};
NodeTypeChoices OtherNodeTypes(const NodeType& type);

}  // namespace mikura::control
