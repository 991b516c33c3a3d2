// SPDX-License-Identifier: Apache-2.0
// The part of Keyspace that gives what was done its place in the change log, and each shard the
// position behind the last record about it.
#include "engine/keyspace/keyspace.h"

namespace mikura::engine {

void Keyspace::LogRemoval(int database, const Key& key) {
  if (!change_log_.active()) return;
  Effects effects;
  effects.Begin(true);
  effects.Add(database, {"DEL", key.name});
  if (const Lsn lsn = change_log_.AppendOwn(effects.Record()); lsn != 0) {
    cells_[key.shard()].last_lsn = lsn;
  }
}

void Keyspace::CommitLogged(Effects& effects, uint32_t shard) {
  Lsn& last_lsn = cells_[shard].last_lsn;
  if (!effects.empty()) {
    if (const Lsn lsn = change_log_.AppendOwn(effects.Record()); lsn != 0) last_lsn = lsn;
  }
  effects.NoteSeen(last_lsn);
  if (effects.listener() != nullptr) effects.listener()->OnLogged();
}

// One record may be about any of them.
void Keyspace::CommitLogged(Effects& effects, const ShardSet& shards) {
  Lsn recorded = 0;
  if (!effects.empty()) recorded = change_log_.AppendOwn(effects.Record());
  for (size_t i = shards._Find_first(); i < kShardCount; i = shards._Find_next(i)) {
    Lsn& last_lsn = cells_[i].last_lsn;
    if (recorded != 0) last_lsn = recorded;
    effects.NoteSeen(last_lsn);
  }
  if (effects.listener() != nullptr) effects.listener()->OnLogged();
}

void Keyspace::CommitWithoutKeys(Effects& effects) {
  if (!effects.empty()) effects.NoteSeen(change_log_.AppendOwn(effects.Record()));
  if (effects.listener() != nullptr) effects.listener()->OnLogged();
}

void Keyspace::MarkAllChanged(Lsn lsn) {
  for (uint32_t i = 0; i < kShardCount; ++i) cells_[i].last_lsn = lsn;
}

}  // namespace mikura::engine
