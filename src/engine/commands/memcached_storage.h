// SPDX-License-Identifier: Apache-2.0
// Storing a value, for the classic storage commands and for ms.
#pragma once

#include <cstdint>

#include "engine/commands/memcached_replies.h"
#include "engine/commands/memcached_services.h"
#include "wire/memcached_request.h"

namespace mikura::engine {

struct MemcachedStoreResult {
  // kStored, kNotStored (the condition of add, replace, append or prepend does not hold), kExists
  // (the CAS is another one), kNotFound (a CAS was given and there is no entry), kOutOfMemory or
  // kOtherType.
  MemcachedOutcome stored = MemcachedOutcome::kStored;
  uint64_t cas = 0;  // of the new entry
};

// Carries out the storage request by its mode: S set, E add, R replace, A append, P prepend.
// compare_cas: only over an entry whose CAS is the request's (with S and R an entry must be there).
// Cost: O(value); append is amortised O(piece).
MemcachedStoreResult StoreRequest(MemcachedContext& ctx, const wire::MemcachedRequest& request,
                                  char mode, bool compare_cas);

}  // namespace mikura::engine
