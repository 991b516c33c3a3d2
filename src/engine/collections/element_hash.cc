// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/element_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace mikura::engine::collections {

uint64_t ElementHash(std::string_view element) {
  return XXH3_64bits(element.data(), element.size()) >> 11;
}

}  // namespace mikura::engine::collections
