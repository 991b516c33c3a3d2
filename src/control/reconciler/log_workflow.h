// SPDX-License-Identifier: Apache-2.0
// Tells hosts where the logs of their nodes go, and notes in groups and clusters what came of it:
// a delivery is active when all that its nodes had logged has been delivered, and in error while
// one of them cannot be.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/model/log_delivery.h"
#include "control/reconciler/inventory.h"
#include "control/reconciler/reconciler_context.h"

namespace mikura::control {

class LogWorkflow {
 public:
  explicit LogWorkflow(const ReconcilerContext& context) : context_(context) {}

  // One pass over all nodes. Before others change the records of the inventory: what it changes of
  // them it has stored. Returns whether nothing is left to do for now. Errors: the store.
  Result<bool> Step(Inventory& inventory);

 private:
  // What is seen of one delivery over all nodes.
  struct Seen {
    bool begun = true;
    std::string error;
  };
  using SeenByType = std::map<std::string, Seen>;

  void Tell(const NodeSpec& node, const std::vector<LogDelivery>& deliveries, SeenByType& seen);
  // Stores the statuses that follow. Returns whether nothing is left to do.
  template <typename Record>
  Result<bool> Note(Loaded<Record>& record, const SeenByType& seen);

  const ReconcilerContext& context_;
};

}  // namespace mikura::control
