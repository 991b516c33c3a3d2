// SPDX-License-Identifier: Apache-2.0
#include "control/model/node_runtime.h"

#include <algorithm>

namespace mikura::control {

bool NodeObservation::HasListener(const std::string& name) const {
  return std::find(listeners.begin(), listeners.end(), name) != listeners.end();
}

}  // namespace mikura::control
