// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/collections/tree_node.h"

namespace mikura::engine {

// Memory of collections that nobody counts, for tests.
class UncountedMemory final : public collections::NodeMemory {
 public:
  void Add(int64_t) override {}
};

}  // namespace mikura::engine
