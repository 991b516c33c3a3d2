// SPDX-License-Identifier: Apache-2.0
// Running memcached requests on the same keys that RESP clients use.
#pragma once

#include <string_view>

#include "engine/commands/memcached_services.h"
#include "engine/store/fault.h"
#include "wire/memcached_request.h"

namespace mikura::engine {

// Carries out `request` and writes its reply, if it has one. For a request with a key the shard of
// ctx.key is locked; for others none is.
// Cost: O(1) plus one copy of the value; a GET allocates nothing.
void RunMemcached(MemcachedContext& ctx, const wire::MemcachedRequest& request);

// What a request may do, for the admission in front of RunMemcached.
struct MemcachedDemand {
  bool writes = false;  // changes keys: not on a replica
  bool grows = false;   // needs memory: not above the memory limit
};
MemcachedDemand DemandOf(const wire::MemcachedRequest& request);

// Answers a request that was not admitted: kOutOfMemory, kReadOnlyReplica, kLoading, kNoAuth.
void RefuseMemcached(const wire::MemcachedRequest& request, Fault fault, wire::OutputBuffer& out);

}  // namespace mikura::engine
