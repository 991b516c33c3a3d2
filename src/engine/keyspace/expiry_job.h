// SPDX-License-Identifier: Apache-2.0
// Removes the expired keys of some shards, in turns short enough to stand between requests.
//
// X1. A turn handles at most kTurnEntries, and holds each lock for at most kLockEntries of them:
//     half a millisecond, and some tens of microseconds.
// X2. While keys are due the next turn is asked for at once, else when the next key is due, but not
//     within kPauseMin of this turn: by then the slots of many shards are due.
// X3. So a key goes within the wheel's 32 ms and kPauseMin of its deadline, if its deadline was
//     known when the turn before was over, and within 32 ms and kPauseMax in any case; and later
//     by what the processor needs when very many are due at once.
//
// Belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "engine/keyspace/keyspace.h"

namespace mikura::engine {

class ExpiryJob {
 public:
  static constexpr size_t kTurnEntries = 2048;
  static constexpr size_t kLockEntries = 64;
  static constexpr UnixMillis kPauseMin = 20;
  static constexpr UnixMillis kPauseMax = 50;

  // Of shards [first, first + count), wrapping.
  ExpiryJob(Keyspace& keyspace, uint32_t first, uint32_t count)
      : keyspace_(keyspace), first_(first), count_(count) {}

  // One turn. Returns the moment of the next one; `now` when keys were left. On a replica nothing
  // is removed but keys to which its own clients gave deadlines.
  UnixMillis Run(UnixMillis now);

 private:
  UnixMillis RunAll(UnixMillis now);
  UnixMillis NextDue(uint32_t index) const;
  size_t RunShard(uint32_t index, UnixMillis now, size_t budget);

  Keyspace& keyspace_;
  const uint32_t first_;
  const uint32_t count_;
  bool only_own_ = false;  // in this turn: see OwnDeadlines
  uint32_t next_ = 0;      // where a turn begins, so that no shard always comes last
};

}  // namespace mikura::engine
