// SPDX-License-Identifier: Apache-2.0
// Which settings each node is to run with: those of its parameter group, and the memory limit that
// follows from its type.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "control/model/cache_parameter_group.h"
#include "control/model/node_runtime.h"
#include "control/reconciler/inventory.h"

namespace mikura::control {

class ParameterPlan {
 public:
  struct Prepared {
    CacheParameterGroup group;
    NodeSettings settings;
  };
  struct Wanted {
    // Its owners are the plan, and the cache of groups that do not change between two steps.
    std::shared_ptr<const Prepared> of_group;
    int64_t maxmemory_bytes = 0;
  };

  // Part of a type's memory that a node really gets, for machines that are small. Set once.
  void set_memory_scale(double scale) { memory_scale_ = scale; }

  // Plans anew from what is in the store.
  void Load(const Inventory& inventory);

  const std::map<std::string, Wanted>& nodes() const { return nodes_; }
  // Bytes for data of a node of `type_bytes` under the parameters of the node that is there.
  int64_t DataBytes(const std::string& node_id, int64_t type_bytes) const;
  // Puts what is planned for the node into its launch.
  void Complete(NodeLaunch& launch) const;

 private:
  int64_t Scaled(int64_t type_bytes) const;
  std::shared_ptr<const Prepared> Prepare(const Inventory& inventory, const CacheCluster& cluster);

  double memory_scale_ = 1;
  std::map<std::string, Wanted> nodes_;                              // by node id
  std::map<std::string, std::shared_ptr<const Prepared>> prepared_;  // by the group's key
};

}  // namespace mikura::control
