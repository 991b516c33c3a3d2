// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/snapshot.h"

#include <optional>

#include "base/clock.h"
#include "engine/persistence/crc64.h"
#include "engine/persistence/entry_commands.h"
#include "engine/persistence/rdb_output.h"
#include "engine/persistence/rdb_value_writer.h"
#include "engine/persistence/rdb_writer.h"
#include "engine/persistence/walk_pace.h"
#include "engine/store/walk_mutants.h"

namespace mikura::engine {
int SnapshotSlots::Acquire() {
  MutexLock lock(mutex_);
  for (size_t i = 0; i < taken_.size(); ++i) {
    if (taken_[i]) continue;
    taken_[i] = true;
    return static_cast<int>(i);
  }
  return -1;
}

void SnapshotSlots::Release(int slot) {
  MutexLock lock(mutex_);
  taken_[static_cast<size_t>(slot)] = false;
}

Result<std::unique_ptr<Snapshot>> Snapshot::Begin(Keyspace& keyspace, SnapshotSlots& slots,
                                                  const std::function<void()>& at_gate,
                                                  Waiter waiter, SnapshotForm form) {
  const int slot = slots.Acquire();
  if (slot < 0) return Error{"as many snapshots as possible are running already"};
  std::unique_ptr<Snapshot> snapshot(new Snapshot(keyspace, slots, slot, waiter, form));
  keyspace.WithGate({}, [&] {
    snapshot->lsn_ = keyspace.change_log().head();
    if (store::IsMutant(store::WalkMutant::kNoGate)) snapshot->shards_begun_ = 0;
    for (uint32_t i = 0; i < snapshot->shards_begun_; ++i) {
      keyspace.LockedShard(i).BeginWalk(slot, snapshot->collector_);
    }
    snapshot->libraries_ = slots.libraries();
    if (at_gate) at_gate();
  });
  return snapshot;
}

Snapshot::~Snapshot() {
  // The marks of the chains that were not visited are still those of before the walk: a later walk
  // in this slot would take them for visited. So the walk is finished, without collecting.
  for (uint32_t i = shards_done_; i < shards_begun_; ++i) {
    {
      ShardGuard guard(keyspace_.lock(i));
      keyspace_.LockedShard(i).AbortWalk(slot_);
    }
    bool done = store::IsMutant(store::WalkMutant::kSlotReused);
    while (!done) {
      ShardGuard guard(keyspace_.lock(i));
      done = keyspace_.LockedShard(i).WalkStep(slot_, chains_per_step_);
    }
  }
  slots_.Release(slot_);
}

Status Snapshot::WriteRdb(SnapshotSink& sink, const AuxFields& aux, SaveProgress* progress) {
  if (progress != nullptr) {
    uint64_t total = 0;
    for (int i = 0; i < keyspace_.database_count(); ++i) total += keyspace_.KeyCount(i);
    progress->keys_total.store(total, std::memory_order_relaxed);
  }
  RETURN_IF_ERROR(Emit(sink, Preamble(aux)));
  RETURN_IF_ERROR(Walk(sink, progress));
  std::string end;
  AppendRdbEnd(end, has_checksum_ ? std::optional(checksum_) : std::nullopt);
  return sink.Write(end);
}

Status Snapshot::WriteCommands(SnapshotSink& sink, std::string_view head) {
  std::string begin(head);
  for (const std::string& code : libraries_) AppendLibraryCommand(begin, code);
  RETURN_IF_ERROR(Emit(sink, begin));
  return Walk(sink, nullptr);
}

Status Snapshot::Walk(SnapshotSink& sink, SaveProgress* progress) {
  collector_.SetWalker();
  const SystemClock clock;
  WalkPace pace(clock.NowNanos());
  while (has_data_ && shards_done_ < kShardCount) {
    {
      ShardGuard guard(keyspace_.lock(shards_done_));
      if (shards_begun_ == shards_done_) {
        keyspace_.LockedShard(shards_begun_++).BeginWalk(slot_, collector_);
      }
      if (keyspace_.LockedShard(shards_done_).WalkStep(slot_, chains_per_step_)) ++shards_done_;
    }
    ASSIGN_OR_RETURN(const uint64_t entries, EmitCollected(sink));
    if (progress != nullptr) progress->keys_done.fetch_add(entries, std::memory_order_relaxed);
    GiveWay(pace, clock);
  }
  return Ok();
}

Status Snapshot::Emit(SnapshotSink& sink, std::string_view bytes) {
  if (has_checksum_) checksum_ = Crc64(checksum_, bytes);
  return sink.Write(bytes);
}

Status Snapshot::EmitData(SnapshotSink& sink, std::string_view data, const RdbPlainTexts& texts) {
  if (!compresses_ || texts.empty()) return Emit(sink, data);
  compressed_.clear();
  compressor_.AppendData(compressed_, data, texts);
  return Emit(sink, compressed_);
}

Status Snapshot::EmitText(SnapshotSink& sink, std::string_view text) {
  compressed_.clear();
  if (compresses_ && compressor_.AppendText(compressed_, text)) return Emit(sink, compressed_);
  AppendRdbLength(compressed_, text.size());
  RETURN_IF_ERROR(Emit(sink, compressed_));
  return Emit(sink, text);
}

Result<uint64_t> Snapshot::EmitCollected(SnapshotSink& sink) {
  uint64_t entries = 0;
  std::vector<EntryCollector::Piece> pieces = collector_.Take();
  for (EntryCollector::Piece& piece : pieces) {
    entries += piece.entries;
    RETURN_IF_ERROR(EmitData(sink, piece.bytes, piece.texts));
    if (form_ == SnapshotForm::kCommands) {
      RETURN_IF_ERROR(EmitLargeAsCommands(sink, piece));
      collector_.Release(piece);
      continue;
    }
    if (piece.value) RETURN_IF_ERROR(EmitText(sink, piece.value.view()));
    if (piece.collection.get() != nullptr) {
      RETURN_IF_ERROR(EmitCollection(sink, *piece.collection.get()));
    }
    collector_.Release(piece);
  }
  return entries;
}

Status Snapshot::EmitCollection(SnapshotSink& sink, const collections::Collection& collection) {
  std::string bytes;
  RdbPlainTexts texts;
  const auto flush = [&](std::string& out) -> Status {
    RETURN_IF_ERROR(EmitData(sink, out, texts));
    out.clear();
    texts.clear();
    return Ok();
  };
  RETURN_IF_ERROR(AppendRdbCollection(bytes, collection, flush, &texts));
  return flush(bytes);
}

Status Snapshot::EmitLargeAsCommands(SnapshotSink& sink, const EntryCollector::Piece& piece) {
  std::string bytes;
  if (piece.value) {
    const std::string_view value = piece.value.view();
    BeginStringCommands(bytes, piece.key, value.size(), piece.attributes);
    RETURN_IF_ERROR(Emit(sink, bytes));
    RETURN_IF_ERROR(Emit(sink, value));
    bytes.clear();
    EndStringCommands(bytes, piece.key, piece.attributes);
  } else if (piece.collection.get() != nullptr) {
    const auto flush = [&](std::string& out) -> Status {
      RETURN_IF_ERROR(Emit(sink, out));
      out.clear();
      return Ok();
    };
    RETURN_IF_ERROR(AppendCollectionCommands(bytes, piece.key, *piece.collection.get(),
                                             piece.attributes.deadline, flush));
  }
  return Emit(sink, bytes);
}

std::string Snapshot::Preamble(const AuxFields& aux) const {
  std::string out;
  AppendRdbHeader(out);
  AppendRdbAux(out, "redis-ver", "7.0.15");
  AppendRdbAux(out, "redis-bits", "64");
  AppendRdbAux(out, "ctime", std::to_string(SystemClock().NowMillis() / 1000));
  for (const auto& [name, value] : aux) AppendRdbAux(out, name, value);
  for (const std::string& code : libraries_) AppendRdbFunction(out, code);
  for (int database = 0; has_data_ && database < keyspace_.database_count(); ++database) {
    const uint64_t keys = keyspace_.KeyCount(database);
    if (keys == 0) continue;
    AppendRdbSelect(out, database);
    AppendRdbResize(out, keys, keyspace_.VolatileKeyCount(database));
  }
  return out;
}

}  // namespace mikura::engine
