// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "engine/store/entry.h"

namespace mikura::engine {

// The name of a type in TYPE and SCAN ... TYPE.
constexpr std::string_view TypeName(store::ValueType type) {
  switch (type) {
    case store::ValueType::kString:
      return "string";
    case store::ValueType::kList:
      return "list";
    case store::ValueType::kSet:
      return "set";
    case store::ValueType::kSortedSet:
      return "zset";
    case store::ValueType::kHash:
      return "hash";
    case store::ValueType::kStream:
      return "stream";
  }
  return "none";
}

}  // namespace mikura::engine
