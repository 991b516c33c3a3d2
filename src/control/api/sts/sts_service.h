// SPDX-License-Identifier: Apache-2.0
// The STS service of the API.
#pragma once

#include "control/api/service.h"

namespace mikura::control {

ApiService StsService();

}  // namespace mikura::control
