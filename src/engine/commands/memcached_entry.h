// SPDX-License-Identifier: Apache-2.0
// An entry as memcached clients see it: CAS values, expiry times, state bits, and the effects that
// carry them to replicas.
//
// M1. An entry written by a memcached client has a memcached block; its CAS changes with every
//     change of value or staleness.
// M2. An entry without the block has flags 0 and a CAS made of its value, with the top bit set; no
//     block of ours holds such a CAS unless it was taken over from there, or given with flag E.
// M3. A CAS holds the wall clock above 20 bits of a counter: after a failover the new primary never
//     gives out one that the old primary gave to other content, as long as clocks agree within the
//     time the failover takes.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/commands/memcached_services.h"
#include "engine/store/entry.h"

namespace mikura::engine {

// Bits of Attributes::memcached_state.
inline constexpr uint8_t kMemcachedFetched = store::kFetchedState;  // was read since it was stored
inline constexpr uint8_t kMemcachedWinSent = 1 << 1;    // a client was told to recache it
inline constexpr uint8_t kMemcachedStale = 1 << 2;      // was marked by md with flag I
inline constexpr uint8_t kMemcachedBinaryKey = 1 << 3;  // was stored by ms under a key in base64

// Deadline for an expiry time as clients send it: 0 is never, up to 30 days is from now, above is
// since 1970, and a negative one has passed.
UnixMillis MemcachedDeadline(int64_t exptime, UnixMillis now);

// The entry's CAS (M1, M2). Cost: O(value) for an entry without memcached block. attributes: its
// own.
uint64_t MemcachedCas(const store::Entry& entry, const store::Attributes& attributes);
inline uint64_t MemcachedCas(const store::Entry& entry) {
  return MemcachedCas(entry, entry.attributes());
}
// A CAS that no content of the key has had (M3).
uint64_t NewMemcachedCas(MemcachedContext& ctx);

// Attributes of the entry, with block: one that has none gets flags 0 and its CAS (M2).
store::Attributes MemcachedAttributes(const store::Entry& entry);

// The live string under the request's key; not found for other types too.
store::Found FindMemcached(MemcachedContext& ctx);
store::Found PeekMemcached(MemcachedContext& ctx);
// True when an entry of another type is there: reads miss it, writes must not touch it.
bool HoldsOtherType(MemcachedContext& ctx);

// Changes with their effects. A deadline that has passed removes the key.
FaultOr<> StoreMemcached(MemcachedContext& ctx, std::string_view value,
                         const store::Attributes& attributes);
FaultOr<> SetMemcachedAttributes(MemcachedContext& ctx, store::Found& found,
                                 const store::Attributes& attributes);
FaultOr<> SetMemcachedDeadline(MemcachedContext& ctx, store::Found& found, UnixMillis deadline);
// Puts `piece` behind the value, or before it; the CAS becomes `cas`, the state 0.
FaultOr<> ExtendMemcached(MemcachedContext& ctx, store::Found& found, std::string_view piece,
                          bool before, uint64_t cas);
bool EraseMemcached(MemcachedContext& ctx);
// The effect of a value that was written by other means.
void LogMemcachedSet(MemcachedContext& ctx, std::string_view value,
                     const store::Attributes& attributes);

}  // namespace mikura::engine
