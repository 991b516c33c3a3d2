// SPDX-License-Identifier: Apache-2.0
#include "control/model/node_parameters.h"

#include "control/model/record_json.h"

namespace mikura::control {

template <typename Visitor>
void VisitFields(Visitor& visit, NodeParameters& parameters) {
  visit("group", parameters.group);
  visit("version", parameters.version);
  visit("pending", parameters.pending);
}

std::string ToJson(const NodeParameters& parameters) { return RecordToJson(parameters); }

Result<NodeParameters> NodeParametersFromJson(std::string_view text) {
  return RecordFromJson<NodeParameters>("node parameters", text);
}

}  // namespace mikura::control
