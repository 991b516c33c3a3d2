// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/numbers.h"
#include "engine/store/entry.h"

namespace mikura::engine {

// The name Redis has for the form such a value takes: "int", "embstr", "raw". Ours depends on the
// bytes alone, not on how they came to be.
inline std::string_view EncodingName(const store::Entry& entry) {
  if (entry.type() == store::ValueType::kList) return "quicklist";
  if (entry.type() == store::ValueType::kStream) return "stream";
  constexpr size_t kEmbeddedMax = 44;
  const std::string_view value = entry.value();
  if (value.size() <= 20 && ParseInt64(value)) return "int";
  return value.size() <= kEmbeddedMax ? "embstr" : "raw";
}

}  // namespace mikura::engine
