// SPDX-License-Identifier: Apache-2.0
// One snapshot of the whole keyspace, taken without stopping it and without a fork.
//
// S1. It begins at a gate: all shards are locked, the change log's position is noted, and each
// shard
//     learns that it has a consumer. Snapshot plus log from that position is the state later on.
// S2. From then on the walker visits shard after shard, some chains per lock; whoever changes a
// chain
//     that was not visited yet hands its entries over first ("settle").
// S3. Handing over copies small values and shares large ones; it never waits. The walker waits
//     instead: it writes what was gathered before it visits more.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "engine/keyspace/keyspace.h"
#include "engine/persistence/entry_collector.h"
#include "engine/persistence/rdb_compression.h"

namespace mikura::engine {

// Of data at rest, beside the head of the change log.
struct StreamPlace {
  std::string id;    // of the stream; "": nothing can be said
  int database = 0;  // the one that what a primary sent has selected; of a primary 0
};

// Which of the walks that a shard can serve at one time are taken, and what snapshots hold beside
// keys. One per process.
class SnapshotSlots {
 public:
  // The source texts of the libraries of functions; called at each gate. Set once, before the first
  // snapshot.
  using Libraries = std::function<std::vector<std::string>()>;
  void SetLibraries(Libraries libraries) { libraries_ = std::move(libraries); }
  std::vector<std::string> libraries() const {
    return libraries_ ? libraries_() : std::vector<std::string>{};
  }

  // Runs `cut` while nothing is executed that a primary sent, and tells it where the data stand in
  // the replication stream. Errors: the data are being replaced by a primary's; or those of `cut`.
  // Called with no lock held. Set once, before the first snapshot of a file.
  using Cut = std::function<Status(const StreamPlace& place)>;
  using AtRest = std::function<Status(const Cut& cut)>;
  void SetAtRest(AtRest at_rest) { at_rest_ = std::move(at_rest); }
  Status RunAtRest(const Cut& cut) const { return at_rest_ ? at_rest_(cut) : cut({}); }

  // rdbcompression, rdbchecksum. Publish nothing but themselves, to snapshots that begin later.
  std::atomic<bool> compresses{true};
  std::atomic<bool> has_checksum{true};

  SnapshotBacklog& backlog() { return backlog_; }
  const SnapshotBacklog& backlog() const { return backlog_; }

  // -1 when all are taken.
  int Acquire();
  void Release(int slot);

 private:
  Libraries libraries_;
  AtRest at_rest_;
  SnapshotBacklog backlog_;
  Mutex mutex_;
  std::array<bool, store::kWalksMax> taken_ GUARDED_BY(mutex_) = {};
};

// Where a snapshot's bytes go. Write may block; it is called with no lock held.
class SnapshotSink {
 public:
  virtual ~SnapshotSink() = default;
  virtual Status Write(std::string_view bytes) = 0;
};

// How far a snapshot is. Published by the thread that writes it, to INFO: nothing else hangs on it.
struct SaveProgress {
  std::atomic<uint64_t> keys_done{0};
  std::atomic<uint64_t> keys_total{0};
};

class Snapshot {
 public:
  using AuxFields = std::vector<std::pair<std::string, std::string>>;

  // Who waits while what writers hand over is written too slowly: they do, or nobody, and whoever
  // writes looks at gathered_bytes().
  enum class Waiter { kWriters, kNobody };

  // Notes position and contents at this moment. `at_gate` runs while all shards are locked.
  // Errors: all slots are taken. Cost: the gate, see Keyspace::WithGate.
  static Result<std::unique_ptr<Snapshot>> Begin(Keyspace& keyspace, SnapshotSlots& slots,
                                                 const std::function<void()>& at_gate = {},
                                                 Waiter waiter = Waiter::kWriters,
                                                 SnapshotForm form = SnapshotForm::kRdb);
  // Ends the walk, which takes a pass over all shards when it was not complete.
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  // How many chains are visited under one lock of their shard: some tens of microseconds at most.
  void set_chains_per_step(size_t chains) { chains_per_step_ = chains; }

  // Position of the change log at the gate.
  Lsn lsn() const { return lsn_; }

  // What the file is to hold; everything, unless told before it is written.
  void LeaveOut(bool data, bool functions) {
    has_data_ = !data;
    if (functions) libraries_.clear();
  }

  // Walks and writes the whole RDB file. Called once. Errors: those of the sink.
  Status WriteRdb(SnapshotSink& sink, const AuxFields& aux, SaveProgress* progress = nullptr);
  // The same as commands, when it was begun in that form: behind `head`, the libraries of functions
  // and the keys.
  Status WriteCommands(SnapshotSink& sink, std::string_view head);
  // What writers have handed over and the sink has not been given yet.
  uint64_t gathered_bytes() const { return collector_.gathered_bytes(); }

 private:
  Snapshot(Keyspace& keyspace, SnapshotSlots& slots, int slot, Waiter waiter, SnapshotForm form)
      : keyspace_(keyspace),
        slots_(slots),
        slot_(slot),
        form_(form),
        compresses_(slots.compresses.load(std::memory_order_relaxed)),
        has_checksum_(form == SnapshotForm::kRdb &&
                      slots.has_checksum.load(std::memory_order_relaxed)),
        collector_(keyspace.allocator().collections(),
                   waiter == Waiter::kWriters ? &slots.backlog() : nullptr, form) {}

  // Visits all shards and writes what is gathered.
  Status Walk(SnapshotSink& sink, SaveProgress* progress);
  Status Emit(SnapshotSink& sink, std::string_view bytes);
  // How many entries there were.
  Result<uint64_t> EmitCollected(SnapshotSink& sink);
  Status EmitData(SnapshotSink& sink, std::string_view data, const RdbPlainTexts& texts);
  Status EmitText(SnapshotSink& sink, std::string_view text);
  Status EmitCollection(SnapshotSink& sink, const collections::Collection& collection);
  Status EmitLargeAsCommands(SnapshotSink& sink, const EntryCollector::Piece& piece);
  std::string Preamble(const AuxFields& aux) const;

  Keyspace& keyspace_;
  SnapshotSlots& slots_;
  const int slot_;
  const SnapshotForm form_;
  const bool compresses_;
  const bool has_checksum_;
  RdbCompressor compressor_;
  std::string compressed_;
  Lsn lsn_ = 0;
  std::vector<std::string> libraries_;
  EntryCollector collector_;
  size_t chains_per_step_ = 64;
  bool has_data_ = true;
  uint32_t shards_done_ = 0;
  uint32_t shards_begun_ = kShardCount;  // fewer only in WalkMutant::kNoGate
  uint64_t checksum_ = 0;
};

}  // namespace mikura::engine
