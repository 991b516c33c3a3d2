// SPDX-License-Identifier: Apache-2.0
// Operations that are refused whatever they ask for, with the error that AWS has for it: what they
// act on does not exist here.
#pragma once

#include "control/api/action.h"

namespace mikura::control {

// Sorted by name.
std::span<const ActionRow> RefusedActions();

}  // namespace mikura::control
