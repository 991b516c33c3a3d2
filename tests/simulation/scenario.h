// SPDX-License-Identifier: Apache-2.0
// What a run is made of, and which rule is broken in it on purpose.
#pragma once

#include <cstdint>
#include <string>

#include "tests/simulation/world.h"

namespace mikura::simulation {

constexpr int kNodes = 3;
constexpr int kStorePlace = kNodes;
constexpr int kControllers = 2;
constexpr int kControllerPlace = kStorePlace + 1;
constexpr int kClients = 3;
constexpr int kClientPlace = kControllerPlace + kControllers;  // all clients
constexpr int kPlaces = kClientPlace + 1;
constexpr int kKeys = 3;

// As in production, at a fifth of the time.
constexpr Micros kLeaseTime = 800 * kMillisecond;
constexpr Micros kMargin = 150 * kMillisecond;
constexpr Micros kRenewal = 160 * kMillisecond;
constexpr Micros kSilenceMax = 300 * kMillisecond;  // on a link, and of a replica in sync
constexpr size_t kInSyncNeeded = 2;                 // the primary among them

enum class Mutant : uint8_t {
  kNone,
  kNoCheckBeforeReply,  // the fence is asked before a request runs only
  kNoFence,             // nor then
  kReplyBeforeAcks,     // sync: replies do not wait for replicas
  kReadsDoNotWait,      // sync: only replies of writes do
  kDropWithoutStore,    // a replica leaves the in-sync set before the store knows
  kElectAnyone,         // a node that is not in sync may be elected
  kForgetsCrash,        // a node that lost the end of its log counts as in sync still
  kElectDuringLease,    // without waiting for the end of the lease
  kGrantsFromReceipt,   // the lease counts from when its renewal was answered, without a margin
  kContinuesAnything,   // a replica may continue wherever the backlog has its offset
  kKeepsId,             // a promoted node writes on under the id of before
};
constexpr int kMutants = 12;

const char* NameOf(Mutant mutant);

struct Scenario {
  uint64_t seed = 0;
  Mutant mutant = Mutant::kNone;
  // Of the seed:
  bool is_sync = true;      // durability sync
  bool syncs_disk = false;  // the log is on disk before anything is acknowledged
};

struct Outcome {
  std::string violation;  // empty: none
  bool is_stuck =
      false;  // nobody was left that may be elected: all that were in sync have lost data
  uint64_t acknowledged = 0;
  uint64_t promotions = 0;
  uint64_t full_syncs = 0;
  uint64_t partial_syncs = 0;
};

Outcome RunScenario(uint64_t seed, Mutant mutant);

}  // namespace mikura::simulation
