// SPDX-License-Identifier: Apache-2.0
// For a test of the tests: ways to walk that are wrong, of which each has been built somewhere and
// loses data. A debug or sanitizer build can be told to be wrong in one of them; the test of
// snapshots must notice. In a release build none of this exists.
#pragma once

#include <cstdint>

namespace mikura::engine::store {

enum class WalkMutant : uint8_t {
  kNone,
  kOneSense,             // all walks share one mark: the second one flips the first one's sense
  kNoGate,               // each shard begins when the walk comes to it
  kInsertUnsettled,      // a new key does not settle its chain
  kDatabaseByIndex,      // SWAPDB leaves walks with the database number of now
  kFlushDrops,           // FLUSHALL takes the table away from walks
  kMoveUnsettled,        // a resize moves entries that were not seen
  kDestinationInherits,  // it gives the new chain the marks of the old one
  kSourceOnly,           // it settles the old chain, and not the new one
  kExpiryUnsettled,      // what has a deadline is removed without settling
  kNoCopyOnWrite,        // a large collection changes while a walk still reads it
  kSlotReused,           // a walk that was given up leaves the chains that it has not seen
};

#ifdef MIKURA_DCHECKS
inline constexpr bool kHasWalkMutants = true;
// Written by a test while no other thread runs.
inline WalkMutant walk_mutant = WalkMutant::kNone;
inline bool IsMutant(WalkMutant mutant) { return walk_mutant == mutant; }
#else
inline constexpr bool kHasWalkMutants = false;
constexpr bool IsMutant(WalkMutant) { return false; }
#endif

}  // namespace mikura::engine::store
