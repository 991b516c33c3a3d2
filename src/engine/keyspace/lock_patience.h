// SPDX-License-Identifier: Apache-2.0
// How the thread of a request waits for locks: a little, and then it goes on with other clients.
#pragma once

#include <cstdint>

#include "engine/keyspace/lock_claims.h"
#include "engine/keyspace/shard_lock.h"

namespace mikura::engine {

enum class LockOutcome : uint8_t {
  kLocked,
  kPutAside,  // nothing is locked: to be tried again later
  kBusy,      // nothing is locked: whoever has it has run for longer than busy-reply-threshold
};

// Since when a request has wanted its locks, and how often it did not get them. It keeps its age
// while it is put aside.
struct LockAge {
  MonotonicNanos since = 0;  // 0: it has not waited yet
  uint32_t tries = 0;
  bool has_claim = false;
};

// What a thread does now and then while it waits as the holder of the script token, and can not put
// its request aside. It takes no lock there.
class LongWait {
 public:
  virtual ~LongWait() = default;
  // The moment at which Turn() is wanted next.
  virtual MonotonicNanos NextTurn() = 0;
  // False: the request is to end, and gives up what it waits for.
  virtual bool Turn() = 0;
};

class LockPatience {
 public:
  // Of a thread of its own: waits for as long as it takes.
  LockPatience() = default;
  // Of an event loop, whose requests are put aside.
  explicit LockPatience(LongWait& long_wait) : long_wait_(&long_wait), puts_aside_(true) {}

  // Requests of one turn of the loop sleep for so long in sum.
  static constexpr MonotonicNanos kParkMax = 1'000'000;

  void BeginTurn() { park_left_ = kParkMax; }
  // The request that asks from now on; the age outlives it, or the next call.
  void SetRequest(LockAge* age) { age_ = age; }

  bool puts_aside() const { return puts_aside_; }
  LongWait* long_wait() const { return long_wait_; }
  LockAge& age() { return age_ != nullptr ? *age_ : own_age_; }
  // The request's place in line.
  MonotonicNanos Since(MonotonicNanos now) {
    LockAge& age = this->age();
    if (age.since == 0) age.since = now;
    return age.since;
  }
  // It has what it wanted, or was answered without.
  void EndRequest(LockClaims& claims) {
    LockAge& age = this->age();
    if (age.has_claim) claims.Drop(age.since);
    age = {};
  }
  MonotonicNanos ParkUntil(MonotonicNanos now) const {
    return puts_aside_ ? now + park_left_ : LockWait::kForEver;
  }
  void CountParked(MonotonicNanos nanos) {
    park_left_ = nanos < park_left_ ? park_left_ - nanos : 0;
  }

 private:
  LongWait* long_wait_ = nullptr;
  bool puts_aside_ = false;
  MonotonicNanos park_left_ = kParkMax;
  LockAge* age_ = nullptr;
  LockAge own_age_;
};

}  // namespace mikura::engine
