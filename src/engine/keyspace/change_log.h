// SPDX-License-Identifier: Apache-2.0
// The one log of effects: the Redis replication stream with a byte position (LSN = replication
// offset).
//
// L1. A record is appended under the locks of the shards it changed, so the order of the log is the
//     order of the locks. A record that changes no key (PING) is appended under the lock of shard
//     0.
// L2. One record is one reservation.
// L3. Nothing waits here: each thread writes its own chain of chunks, only the counter is shared.
// L4. SELECT precedes a record when the one before left another database selected, and the first
//     record that a new reader gets. What is selected is known with the head, in one word: who
//     takes a place knows what precedes it.
// L5. A node whose log nobody reads pays one relaxed load per write.
// L6. The flusher (a thread, or who does its work for it) merges the chains by LSN: the next record
//     is at the head of exactly one chain, or in flight. It passes only the prefix without holes,
//     takes no shard lock, waits for no reader.
// L7. A replica's log holds what its primary sent, byte for byte, and nothing else: what its own
//     clients change is not appended.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "engine/keyspace/log_chunk.h"
#include "engine/keyspace/log_record.h"

namespace mikura::engine {

// Somebody who wants every change in order: the backlog of replicas, the append log.
class LogReader {
 public:
  virtual ~LogReader() = default;
  // Called on the flusher's thread, or in its place, with whole records that follow those before
  // without a gap. Keeps copies of the slices (they share memory), does not wait for anything slow.
  virtual void OnBytes(std::span<const LogSlice> slices) = 0;
};

// For what the log is kept.
enum class LogUse : uint8_t { kReplicas = 1, kAppendLog = 2 };

class ChangeLog {
 public:
  ChangeLog();
  // Readers must live longer, or be removed before.
  ~ChangeLog();
  ChangeLog(const ChangeLog&) = delete;
  ChangeLog& operator=(const ChangeLog&) = delete;

  // True while somebody reads the log. Flips only while all shards are locked (at a gate); a writer
  // asks under the locks of the shards it is going to change.
  bool active() const { return uses_.load(std::memory_order_relaxed) != 0; }
  bool IsActiveFor(LogUse use) const {
    return (uses_.load(std::memory_order_relaxed) & static_cast<uint8_t>(use)) != 0;
  }

  // Appends one whole record and returns the position behind it.
  // Called with the locks of the changed shards held; copies the bytes; never blocks.
  Lsn Append(const LogRecord& record);
  // The same for commands that concern no database, or bring their SELECT.
  Lsn Append(std::string_view bytes) { return Append(LogRecord{.bytes = bytes}); }
  // The same for what this node has changed by itself; on a replica it is not appended (L7): 0.
  Lsn AppendOwn(const LogRecord& record);

  // Wakes a sleeping flusher. For whoever appended, after the shards were unlocked. Without it the
  // flusher looks by itself after at most 10 ms. Cost: a load, when the flusher is awake.
  void Wake();

  // Does the flusher's work on the calling thread, as far as there is any, unless somebody is at
  // it. Called with no lock held that a reader takes.
  void Pump();

  // Position behind the last reserved byte.
  Lsn head() const;
  // Position up to which the readers have been given everything.
  Lsn flushed() const;

  // ---- For those who own the node's role. Not on the request path.
  // Readers see what is flushed from now on; they may come and go at any time.
  void AddReader(LogReader& reader);
  void RemoveReader(LogReader& reader);
  // Begins or ends one use; the log is active as long as there is one. Called with all shards
  // locked; Wake() follows when they are unlocked. When active, also if it was before, the next
  // record begins with its SELECT: somebody begins to read here.
  void SetActive(bool active, LogUse use = LogUse::kReplicas);
  // Whether the node follows a primary (L7). Flips only while all shards are locked.
  void SetFollows(bool value) { follows_.store(value, std::memory_order_relaxed); }
  bool follows() const { return follows_.load(std::memory_order_relaxed); }
  // Whether the data are not those of the log any more: something was kept out of it since this was
  // last forgotten.
  bool has_own_changes() const { return has_own_changes_.load(std::memory_order_relaxed); }
  void ForgetOwnChanges() { has_own_changes_.store(false, std::memory_order_relaxed); }
  // The next record begins with its SELECT: what those before selected is not known.
  void ForgetDatabase();
  // Moves the head to `lsn`. Only while inactive (a replica whose log nobody reads counts what it
  // was sent) and after Drain().
  void SetHead(Lsn lsn);
  // Waits until everything that was reserved before the call has been given to the readers.
  // Called with no lock held.
  void Drain();
  // Ends the flusher's thread after a last turn.
  void Stop();

 private:
  // Published at a gate, when every thread that writes is outside its critical section.
  std::atomic<uint8_t> uses_{0};
  std::atomic<bool> follows_{false};  // published as uses_ is, and on its cache line
  // Publishes nothing but itself, to whoever changes the role.
  std::atomic<bool> has_own_changes_{false};
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mikura::engine
