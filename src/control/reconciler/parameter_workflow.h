// SPDX-License-Identifier: Apache-2.0
// Brings running nodes to the settings that are planned for them, and notes in the store how far
// each has come.
//
// A node is looked at when it runs anew or its plan changed: it is asked what it has, gets what may
// change while it runs, and is asked again. What it noted is what it saw.
#pragma once

#include <map>
#include <string>

#include "control/model/node_parameters.h"
#include "control/reconciler/parameter_plan.h"
#include "control/reconciler/reconciler_context.h"

namespace mikura::control {

class ParameterWorkflow {
 public:
  ParameterWorkflow(const ReconcilerContext& context, const ParameterPlan& plan)
      : context_(context), plan_(plan) {}

  // One pass over all nodes. Returns whether nothing is left to do for now. Errors: the store.
  Result<bool> Step();

 private:
  // Errors: the node does not answer or refuses; the store.
  Status Bring(const std::string& node_id, const ParameterPlan::Wanted& wanted);
  Status Note(const std::string& node_id, const NodeParameters& parameters);

  const ReconcilerContext& context_;
  const ParameterPlan& plan_;
  // Node id -> the run of the node and the plan that it was seen to follow. Lost with this process,
  // which only means that the nodes are asked again.
  std::map<std::string, std::string> seen_;
  std::map<std::string, std::string> failures_;  // node id -> what was logged last
};

}  // namespace mikura::control
