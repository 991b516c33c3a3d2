// SPDX-License-Identifier: Apache-2.0
// The keyspace to and from an RDB file, or to a file of commands.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/keyspace/keyspace.h"
#include "engine/persistence/file_source.h"
#include "engine/persistence/rdb_reader.h"
#include "engine/persistence/snapshot.h"

namespace mikura::engine {

struct SaveHooks {
  std::function<void()> at_gate = {};  // see Snapshot::Begin
  // Begins the snapshot instead, without at_gate.
  std::function<Result<std::unique_ptr<Snapshot>>()> begin = {};
  Snapshot::AuxFields aux = {};
  std::function<bool()> is_interrupted = {};  // asked now and then: true ends it with an error
  SaveProgress* progress = nullptr;
  // The form of the file; `begin` begins a snapshot of it. A file of commands has no aux fields: it
  // begins with `head`.
  SnapshotForm form = SnapshotForm::kRdb;
  std::string head = {};
};
// Writes a snapshot to a temporary file beside `path`, syncs it, and renames it: `path` is the old
// file or the complete new one at every moment. Blocks; the keyspace goes on meanwhile.
Status SaveRdb(Keyspace& keyspace, SnapshotSlots& slots, const std::string& path,
               const SaveHooks& hooks = {});

struct LoadedCount {
  uint64_t keys = 0;
  uint64_t expired = 0;  // left out, because their deadline had passed
};

// Where in a replication stream a snapshot was taken.
struct RdbStreamPosition {
  std::string id;       // 40 hexadecimal digits; "": the file does not say
  int64_t offset = -1;  // as Redis counts: bytes of the stream in front of it
  int database = 0;     // that the stream has selected there

  bool is_known() const { return !id.empty() && offset >= 0; }
};

// A collection that was read, under the key; its packed bytes, or a further ownership of it. The
// shard is locked. Errors: kOutOfMemory.
FaultOr<> StoreRdbCollection(store::Shard& shard, int database, const Key& key,
                             collections::Collection& value, UnixMillis deadline,
                             const store::Access& access);

// Puts what an RdbReader reads into the keyspace, one shard lock per key.
// Errors: a database out of range, a key that is there already, no more memory.
class KeyspaceLoader : public RdbHandler {
 public:
  // drop_expired_at: keys whose deadline is at or before it are left out; 0 keeps all (on a replica
  // only the primary deletes). All stay too when the file says where it stands in a stream: who
  // goes on reading that has to be told what expires.
  KeyspaceLoader(Keyspace& keyspace, UnixMillis drop_expired_at)
      : keyspace_(keyspace), drop_expired_at_(drop_expired_at) {}

  Status OnEntry(const RdbEntry& entry) override;
  void OnAux(std::string_view name, std::string_view value) override;
  Status OnFunctionLibrary(std::string_view code) override;
  // What takes libraries of functions; without it they are an error.
  void SetLibraries(std::function<Status(std::string_view code)> add) {
    add_library_ = std::move(add);
  }
  // What changes a collection before it is stored; rdb_type: as the file has it.
  using GiveForm = std::function<void(collections::Collection& value, uint8_t rdb_type)>;
  void SetForm(GiveForm form) { form_ = std::move(form); }
  // A key that is there already is replaced; otherwise it is an error.
  void set_replaces(bool value) { replaces_ = value; }
  const LoadedCount& count() const { return count_; }
  const RdbStreamPosition& position() const { return position_; }

 private:
  Keyspace& keyspace_;
  const UnixMillis drop_expired_at_;
  std::function<Status(std::string_view code)> add_library_;
  GiveForm form_;
  bool replaces_ = false;
  LoadedCount count_;
  RdbStreamPosition position_;
};

struct LoadHooks {
  std::vector<std::string>* libraries = nullptr;  // gets the source texts; null: there may be none
  RdbStreamPosition* position = nullptr;
  LoadProgress* progress = nullptr;
  KeyspaceLoader::GiveForm form = {};
  bool replaces = false;
};

// Adds the keys of the file to the keyspace. Errors: the file's, or those of KeyspaceLoader; what
// was read before the error stays.
Result<LoadedCount> LoadRdb(Keyspace& keyspace, const std::string& path, UnixMillis now,
                            const LoadHooks& hooks = {});

}  // namespace mikura::engine
