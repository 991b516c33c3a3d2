// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/elasticache_service.h"

#include "control/api/action.h"
#include "control/api/elasticache/elasticache_codec.h"

namespace mikura::control {

// An operation with no row here is answered as not available yet.
ApiService ElastiCacheService() { return {&elasticache::kDescription, {}}; }

}  // namespace mikura::control
