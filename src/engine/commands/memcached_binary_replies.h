// SPDX-License-Identifier: Apache-2.0
// What requests come to, in the words of the binary protocol. A quiet request (noreply) keeps
// success and misses of retrievals to itself, never a failure.
#pragma once

#include <cstdint>

#include "engine/commands/memcached_replies.h"
#include "engine/commands/memcached_services.h"
#include "engine/store/fault.h"
#include "wire/memcached_request.h"

namespace mikura::engine {

// One copy of the value; no allocation.
void ReplyBinaryValue(MemcachedContext& ctx, const wire::MemcachedRequest& request,
                      const store::Entry& entry);
void ReplyBinaryMiss(MemcachedContext& ctx, const wire::MemcachedRequest& request);
// TOUCH answers the flags, as if with a value.
void ReplyBinaryTouched(MemcachedContext& ctx, const wire::MemcachedRequest& request,
                        const store::Entry& entry);
void ReplyBinaryOutcome(MemcachedContext& ctx, const wire::MemcachedRequest& request,
                        MemcachedOutcome outcome, uint64_t cas);
// RefuseMemcached for a binary request.
void RefuseBinary(const wire::MemcachedRequest& request, Fault fault, wire::OutputBuffer& out);

}  // namespace mikura::engine
