// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/rdb_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/file_io.h"
#include "base/numbers.h"
#include "base/unique_fd.h"
#include "engine/persistence/rdb_value_writer.h"

namespace mikura::engine {
namespace {

constexpr size_t kWriteBytes = 1024 * 1024;

// Collects small writes into large ones.
class FileSink final : public SnapshotSink {
 public:
  FileSink(int fd, const std::string& path, const SaveHooks& hooks)
      : fd_(fd), path_(path), hooks_(hooks) {}

  Status Write(std::string_view bytes) override {
    if (hooks_.is_interrupted && hooks_.is_interrupted()) return Error{"it was interrupted"};
    buffer_.append(bytes);
    return buffer_.size() < kWriteBytes ? Status() : Flush();
  }
  Status Flush() {
    if (!WriteAll(fd_, buffer_)) return FileError("write", path_);
    buffer_.clear();
    return Ok();
  }

 private:
  const int fd_;
  const std::string& path_;
  const SaveHooks& hooks_;
  std::string buffer_;
};

// Adds to `aux` where in the replication stream the snapshot was taken.
Result<std::unique_ptr<Snapshot>> BeginAtRest(Keyspace& keyspace, SnapshotSlots& slots,
                                              const SaveHooks& hooks, Snapshot::AuxFields& aux) {
  std::unique_ptr<Snapshot> snapshot;
  RETURN_IF_ERROR(slots.RunAtRest([&](const StreamPlace& place) -> Status {
    const auto at_gate = [&] {
      // Who goes on reading what a primary writes from here begins in database 0.
      if (!place.id.empty()) keyspace.change_log().ForgetDatabase();
      if (hooks.at_gate) hooks.at_gate();
    };
    auto begun = Snapshot::Begin(keyspace, slots, at_gate, Snapshot::Waiter::kWriters, hooks.form);
    if (!begun.ok()) return std::move(begun).error();
    snapshot = std::move(begun).value();
    if (place.id.empty() || !hooks.aux.empty()) return Ok();
    aux = {{"repl-stream-db", std::to_string(place.database)},
           {"repl-id", place.id},
           {"repl-offset", std::to_string(snapshot->lsn())}};
    return Ok();
  }));
  return snapshot;
}

Status WriteAndSync(Keyspace& keyspace, SnapshotSlots& slots, const std::string& path,
                    const SaveHooks& hooks) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (fd.get() < 0) return FileError("create", path);
  Snapshot::AuxFields aux = hooks.aux;
  ASSIGN_OR_RETURN(std::unique_ptr<Snapshot> snapshot,
                   hooks.begin ? hooks.begin() : BeginAtRest(keyspace, slots, hooks, aux));
  if (hooks.aux.empty()) aux.emplace_back("aof-base", "0");
  FileSink sink(fd.get(), path, hooks);
  RETURN_IF_ERROR(hooks.form == SnapshotForm::kRdb ? snapshot->WriteRdb(sink, aux, hooks.progress)
                                                   : snapshot->WriteCommands(sink, hooks.head));
  RETURN_IF_ERROR(sink.Flush());
  if (fsync(fd.get()) != 0) return FileError("sync", path);
  return Ok();
}

Status SyncFolderOf(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  const UniqueFd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || fsync(fd.get()) != 0) return FileError("sync", folder);
  return Ok();
}

}  // namespace

Status SaveRdb(Keyspace& keyspace, SnapshotSlots& slots, const std::string& path,
               const SaveHooks& hooks) {
  // The address of a local tells concurrent saves of one process apart.
  const std::string temporary =
      fmt::format("{}.{}-{}.tmp", path, getpid(), static_cast<const void*>(&path));
  Status written = WriteAndSync(keyspace, slots, temporary, hooks);
  if (!written.ok()) {
    unlink(temporary.c_str());
    return written;
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const Error error = FileError("rename to", path);
    unlink(temporary.c_str());
    return error;
  }
  return SyncFolderOf(path);
}

Result<LoadedCount> LoadRdb(Keyspace& keyspace, const std::string& path, UnixMillis now,
                            const LoadHooks& hooks) {
  ASSIGN_OR_RETURN(FileSource source, FileSource::Open(path, hooks.progress));
  if (hooks.progress != nullptr) {
    hooks.progress->bytes_total.store(source.size(), std::memory_order_relaxed);
  }
  KeyspaceLoader loader(keyspace, now);
  loader.SetForm(hooks.form);
  loader.set_replaces(hooks.replaces);
  if (hooks.libraries != nullptr) {
    loader.SetLibraries([libraries = hooks.libraries](std::string_view code) {
      libraries->emplace_back(code);
      return Ok();
    });
  }
  RdbReader reader(source, loader, keyspace.allocator().collections());
  if (const Status status = reader.Read(); !status.ok()) {
    return Error{fmt::format("{}: {}", path, status.error().message)};
  }
  if (hooks.position != nullptr) *hooks.position = loader.position();
  return loader.count();
}

FaultOr<> StoreRdbCollection(store::Shard& shard, int database, const Key& key,
                             collections::Collection& value, UnixMillis deadline,
                             const store::Access& access) {
  std::string packed;
  if (!AppendIfPacked(value, packed)) {
    return shard.SetCollection(database, key, &value, deadline, access);
  }
  return shard.SetPacked(database, key, store::TypeOf(value.type()), packed, deadline, access);
}

void KeyspaceLoader::OnAux(std::string_view name, std::string_view value) {
  constexpr size_t kIdBytes = 40;
  if (name == "repl-id" && value.size() == kIdBytes) position_.id = value;
  if (name == "repl-offset") position_.offset = ParseInt64(value).value_or(-1);
  if (name == "repl-stream-db") {
    const int64_t database = ParseInt64(value).value_or(0);
    const bool is_there = database >= 0 && database < keyspace_.database_count();
    position_.database = is_there ? static_cast<int>(database) : 0;
  }
}

Status KeyspaceLoader::OnFunctionLibrary(std::string_view code) {
  if (!add_library_) return Error{"a library of functions, which is not wanted here"};
  return add_library_(code);
}

Status KeyspaceLoader::OnEntry(const RdbEntry& entry) {
  if (entry.database >= keyspace_.database_count()) {
    return Error{fmt::format("it names database {}; this node has {}", entry.database,
                             keyspace_.database_count())};
  }
  if (entry.attributes.deadline <= drop_expired_at_ && !position_.is_known()) {
    ++count_.expired;
    return Ok();
  }
  // Time 0: a key whose deadline has passed is still a key here.
  const store::Access access{0, false};
  const Key key = keyspace_.hasher()(entry.key);
  ShardGuard guard(keyspace_.lock(key.shard()));
  store::Shard& shard = keyspace_.LockedShard(key.shard());
  if (!replaces_ && shard.Peek(entry.database, key, access)) {
    return Error{fmt::format("key '{}' of database {} comes twice", entry.key, entry.database)};
  }
  if (form_ && entry.collection != nullptr) form_(*entry.collection, entry.type);
  const bool stored =
      entry.collection != nullptr
          ? StoreRdbCollection(shard, entry.database, key, *entry.collection,
                               entry.attributes.deadline, access)
                .ok()
          : shard.SetString(entry.database, key, entry.value, entry.attributes, access).ok();
  if (!stored) return Error{"there is not enough memory for the data"};
  ++count_.keys;
  return Ok();
}

}  // namespace mikura::engine
