// SPDX-License-Identifier: Apache-2.0
// The ElastiCache service of the API.
#pragma once

#include "control/api/service.h"

namespace mikura::control {

ApiService ElastiCacheService();

}  // namespace mikura::control
