// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/snapshot.h"

#include "base/clock.h"
#include "engine/persistence/crc64.h"
#include "engine/persistence/rdb_value_writer.h"
#include "engine/persistence/rdb_writer.h"

namespace mikura::engine {
namespace {

// Chains visited per lock of a shard: some tens of microseconds at most.
constexpr size_t kChainsPerStep = 64;

}  // namespace

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
                                                  const std::function<void()>& at_gate) {
  const int slot = slots.Acquire();
  if (slot < 0) return Error{"as many snapshots as possible are running already"};
  std::unique_ptr<Snapshot> snapshot(new Snapshot(keyspace, slots, slot));
  keyspace.WithGate({}, [&] {
    snapshot->lsn_ = keyspace.change_log().head();
    for (uint32_t i = 0; i < kShardCount; ++i) {
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
  for (uint32_t i = shards_done_; i < kShardCount; ++i) {
    {
      ShardGuard guard(keyspace_.lock(i));
      keyspace_.LockedShard(i).AbortWalk(slot_);
    }
    bool done = false;
    while (!done) {
      ShardGuard guard(keyspace_.lock(i));
      done = keyspace_.LockedShard(i).WalkStep(slot_, kChainsPerStep);
    }
  }
  slots_.Release(slot_);
}

Status Snapshot::WriteRdb(SnapshotSink& sink, const AuxFields& aux) {
  RETURN_IF_ERROR(Emit(sink, Preamble(aux)));
  while (shards_done_ < kShardCount) {
    {
      ShardGuard guard(keyspace_.lock(shards_done_));
      if (keyspace_.LockedShard(shards_done_).WalkStep(slot_, kChainsPerStep)) ++shards_done_;
    }
    RETURN_IF_ERROR(EmitCollected(sink));
  }
  std::string end;
  AppendRdbEnd(end, checksum_);
  return sink.Write(end);
}

Status Snapshot::Emit(SnapshotSink& sink, std::string_view bytes) {
  checksum_ = Crc64(checksum_, bytes);
  return sink.Write(bytes);
}

Status Snapshot::EmitCollected(SnapshotSink& sink) {
  for (const EntryCollector::Piece& piece : collector_.Take()) {
    RETURN_IF_ERROR(Emit(sink, piece.bytes));
    if (piece.value) RETURN_IF_ERROR(Emit(sink, piece.value.view()));
    if (piece.collection.get() != nullptr) {
      RETURN_IF_ERROR(EmitCollection(sink, *piece.collection.get()));
    }
  }
  return Ok();
}

Status Snapshot::EmitCollection(SnapshotSink& sink, const collections::Collection& collection) {
  std::string bytes;
  const auto flush = [&](std::string& out) -> Status {
    RETURN_IF_ERROR(Emit(sink, out));
    out.clear();
    return Ok();
  };
  RETURN_IF_ERROR(AppendRdbCollection(bytes, collection, flush));
  return flush(bytes);
}

std::string Snapshot::Preamble(const AuxFields& aux) const {
  std::string out;
  AppendRdbHeader(out);
  AppendRdbAux(out, "redis-ver", "7.0.15");
  AppendRdbAux(out, "redis-bits", "64");
  AppendRdbAux(out, "ctime", std::to_string(SystemClock().NowMillis() / 1000));
  for (const auto& [name, value] : aux) AppendRdbAux(out, name, value);
  for (const std::string& code : libraries_) AppendRdbFunction(out, code);
  for (int database = 0; database < keyspace_.database_count(); ++database) {
    const uint64_t keys = keyspace_.KeyCount(database);
    if (keys == 0) continue;
    AppendRdbSelect(out, database);
    AppendRdbResize(out, keys, keyspace_.VolatileKeyCount(database));
  }
  return out;
}

}  // namespace mikura::engine
