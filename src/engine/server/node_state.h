// SPDX-License-Identifier: Apache-2.0
// The few facts about the node that every request looks at, as relaxed atomics: set by parameters,
// by the replication role and by the admin socket, read by all event loops.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/commands/command_spec.h"
#include "engine/server/fence.h"

namespace mikura::engine {

struct NodeState {
  // CLIENT PAUSE. Whether a request of a command with these flags has to wait.
  bool IsPaused(uint32_t flags, UnixMillis now) const {
    if (pause_end.load(std::memory_order_relaxed) <= now) [[likely]]
      return false;
    return all_pause_end.load(std::memory_order_relaxed) > now || (flags & kMayChange) != 0;
  }

  // A primary that has fewer replicas than it shall have refuses writes.
  bool LacksReplicas() const {
    const uint32_t wanted = min_replicas.load(std::memory_order_relaxed);
    if (wanted == 0) [[likely]]
      return false;
    return !is_replica.load(std::memory_order_relaxed) &&
           good_replicas.load(std::memory_order_relaxed) < wanted;
  }
  // A replica without its primary that does not answer meanwhile.
  bool RefusesStale() const {
    return !link_is_up.load(std::memory_order_relaxed) &&
           !serves_stale.load(std::memory_order_relaxed);
  }

  // Whether nothing about the node keeps a request from running, be it one that writes: but for
  // memory and the fence. Tests all at once, for what nearly every request asks.
  bool AdmitsAll(bool writes, UnixMillis now) const {
    constexpr auto kRelaxed = std::memory_order_relaxed;
    unsigned reasons = pause_end.load(kRelaxed) > now;
    reasons |= write_waits.load(kRelaxed);
    reasons |= static_cast<unsigned>(log_error.load(kRelaxed));
    reasons |= unsigned{cannot_save.load(kRelaxed)};
    reasons |= unsigned{!link_is_up.load(kRelaxed)};
    reasons |= unsigned{loading.load(kRelaxed)};
    const unsigned of_writes = unsigned{read_only.load(kRelaxed)} | min_replicas.load(kRelaxed);
    return (reasons | (writes ? of_writes : 0)) == 0;
  }

  explicit NodeState(const FenceClock& clock) : fence(clock) {}

  // Past the deadline of a primary, by a fresh clock. Replicas act for nobody.
  bool IsFenced() const { return fence.IsPast() && !is_replica.load(std::memory_order_relaxed); }
  // Whether a fenced node refuses reads too: a new primary must not be contradicted.
  bool fences_reads() const { return is_sync.load(std::memory_order_relaxed); }

  // min-replicas-to-write, and whether durability sync lacks replicas: then it is as if more were
  // wanted than there can be.
  void SetWantedReplicas(uint32_t count) {
    MutexLock lock(wanted_mutex);
    wanted_replicas = count;
    min_replicas.store(lacks_in_sync ? UINT32_MAX : wanted_replicas, std::memory_order_relaxed);
  }
  void SetLacksInSync(bool value) {
    MutexLock lock(wanted_mutex);
    lacks_in_sync = value;
    min_replicas.store(lacks_in_sync ? UINT32_MAX : wanted_replicas, std::memory_order_relaxed);
  }

  // The role; returns whether it was a replica. And replica-read-only.
  bool SetReplica(bool value) {
    MutexLock lock(role_mutex);
    const bool before = is_replica.exchange(value, std::memory_order_relaxed);
    read_only.store(value && replicas_are_read_only, std::memory_order_relaxed);
    return before;
  }
  void SetReplicasAreReadOnly(bool value) {
    MutexLock lock(role_mutex);
    replicas_are_read_only = value;
    read_only.store(value && is_replica.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }

  // Because of which clients' writes wait, with nothing held: more is to be written to the append
  // log, or to snapshots, than can be soon.
  enum WriteWait : uint8_t { kLogIsCongested = 1, kSnapshotIsCongested = 2 };
  void SetWriteWait(WriteWait reason, bool waits) {
    if (waits) {
      write_waits.fetch_or(reason, std::memory_order_relaxed);
    } else {
      write_waits.fetch_and(static_cast<uint8_t>(~reason), std::memory_order_relaxed);
    }
  }

  // The number of the error because of which the append log cannot be written; 0: none.
  std::atomic<int> log_error{0};
  std::atomic<uint8_t> write_waits{0};  // of WriteWait
  Fence fence;
  std::atomic<bool> holds_replies{false};           // until what they tell of is durable
  std::atomic<bool> is_sync{false};                 // durability sync
  std::atomic<MonotonicNanos> held_replies_end{0};  // replies held back fail then; 0: never
  std::atomic<UnixMillis> pause_end{0};      // no pause goes on from then on; see ClientPause
  std::atomic<UnixMillis> all_pause_end{0};  // until then it is not only what may write
  std::atomic<bool> is_replica{false};
  std::atomic<bool> read_only{false};        // a replica that refuses client writes
  std::atomic<bool> loading{false};          // a full sync replaces the data set
  std::atomic<bool> cannot_save{false};      // the last snapshot failed, and that stops writes
  std::atomic<bool> link_is_up{true};        // on a replica, to its primary
  std::atomic<bool> serves_stale{true};      // replica-serve-stale-data
  std::atomic<uint32_t> min_replicas{0};     // 0: writes need none
  std::atomic<uint32_t> good_replicas{0};    // online, and heard of lately
  std::atomic<bool> has_password{false};     // requirepass is set: for memcached clients
  std::atomic<uint64_t> maxmemory_bytes{0};  // 0: no limit
  std::atomic<uint32_t> maxclients{10000};
  std::atomic<int> keepalive_seconds{300};
  std::atomic<int> idle_timeout_seconds{0};  // 0: clients may idle for ever
  // client-output-buffer-limit of normal clients; 0: none.
  std::atomic<uint64_t> output_hard_bytes{0};
  std::atomic<uint64_t> output_soft_bytes{0};
  std::atomic<int64_t> output_soft_seconds{0};
  // The same of clients that have subscribed to something.
  std::atomic<uint64_t> subscriber_output_hard_bytes{0};
  std::atomic<uint64_t> subscriber_output_soft_bytes{0};
  std::atomic<int64_t> subscriber_output_soft_seconds{0};
  std::atomic<uint64_t> query_buffer_bytes_max{1ULL << 30};  // client-query-buffer-limit
  std::atomic<int64_t> bulk_bytes_max{512LL << 20};          // proto-max-bulk-len

  Mutex role_mutex;
  bool replicas_are_read_only GUARDED_BY(role_mutex) = true;
  Mutex wanted_mutex;
  uint32_t wanted_replicas GUARDED_BY(wanted_mutex) = 0;
  bool lacks_in_sync GUARDED_BY(wanted_mutex) = false;
};

}  // namespace mikura::engine
