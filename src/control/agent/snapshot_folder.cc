// SPDX-License-Identifier: Apache-2.0
#include "control/agent/snapshot_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "base/file_io.h"
#include "control/agent/file_descriptor.h"

namespace mikura::control {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOfSnapshot = "snapshot:";
constexpr std::string_view kOfBucket = "bucket:";
constexpr size_t kCopyBytes = 1 << 20;

SnapshotFile Failed(const Error& error) {
  return {.state = SnapshotFile::State::kFailed, .error = error.message};
}

Status SyncFolder(const std::string& path) {
  const FileDescriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid() || fsync(folder.get()) != 0) return FileError("sync", path);
  return Ok();
}

Status MakeFolder(const std::string& path) {
  std::error_code failure;
  fs::create_directories(path, failure);
  if (failure) return Error{fmt::format("cannot create {}: {}", path, failure.message())};
  return Ok();
}

// The new file is there when it is whole.
Status CopyFile(const std::string& from, const std::string& to) {
  const std::string part = to + ".part";
  const FileDescriptor in(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in.valid()) return FileError("read", from);
  const FileDescriptor out(open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!out.valid()) return FileError("create", part);
  const auto copy = [&]() -> Status {
    std::vector<char> buffer(kCopyBytes);
    while (true) {
      const ssize_t count = ReadSome(in.get(), buffer.data(), buffer.size());
      if (count < 0) return FileError("read", from);
      if (count == 0) break;
      if (!WriteAll(out.get(), {buffer.data(), static_cast<size_t>(count)})) {
        return FileError("write", part);
      }
    }
    if (fsync(out.get()) != 0) return FileError("sync", part);
    if (rename(part.c_str(), to.c_str()) != 0) return FileError("rename to", to);
    return SyncFolder(fs::path(to).parent_path().string());
  };
  Status status = copy();
  if (!status.ok()) unlink(part.c_str());
  return status;
}

bool IsBelow(const fs::path& path, const fs::path& folder) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end() && rest != path.end();
}

}  // namespace

SnapshotFolder::~SnapshotFolder() {
  for (auto& [key, sending] : exports_) sending->thread.join();
}

std::optional<SnapshotFile> SnapshotFolder::Find(const std::string& snapshot) const {
  struct stat status {};
  if (stat(PathOf(snapshot).c_str(), &status) != 0) return std::nullopt;
  return SnapshotFile{.state = SnapshotFile::State::kDone,
                      .bytes = status.st_size,
                      .made_at = status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1'000'000};
}

Result<std::string> SnapshotFolder::PathForAttempt(const std::string& snapshot,
                                                   int64_t attempt) const {
  RETURN_IF_ERROR(MakeFolder(FolderOf(snapshot)));
  return fmt::format("{}.{}", PathOf(snapshot), attempt);
}

SnapshotFile SnapshotFolder::Accept(const std::string& snapshot, int64_t attempt) const {
  const std::string path = PathOf(snapshot);
  const std::string made = fmt::format("{}.{}", path, attempt);
  if (rename(made.c_str(), path.c_str()) != 0) return Failed(FileError("rename to", path));
  // What engines that died have begun.
  std::error_code failure;
  for (const fs::directory_entry& entry : fs::directory_iterator(FolderOf(snapshot), failure)) {
    if (entry.path() != path) fs::remove(entry.path(), failure);
  }
  if (const Status synced = SyncFolder(FolderOf(snapshot)); !synced.ok()) {
    return Failed(synced.error());
  }
  return Find(snapshot).value_or(Failed(Error{path + " is gone"}));
}

// A snapshot's file is never changed, so two of them may be the same one.
SnapshotFile SnapshotFolder::Copy(const std::string& from, const std::string& to) const {
  if (const auto done = Find(to)) return *done;
  if (const Status made = MakeFolder(FolderOf(to)); !made.ok()) return Failed(made.error());
  if (link(PathOf(from).c_str(), PathOf(to).c_str()) != 0) {
    // A file system without links.
    const Status copied = CopyFile(PathOf(from), PathOf(to));
    if (!copied.ok()) return Failed(copied.error());
  }
  if (const Status synced = SyncFolder(FolderOf(to)); !synced.ok()) return Failed(synced.error());
  return Find(to).value_or(Failed(Error{PathOf(to) + " is gone"}));
}

SnapshotFile SnapshotFolder::Export(const std::string& snapshot, const std::string& key) {
  const std::string name = fmt::format("{} {}", snapshot, key);
  if (const auto found = exports_.find(name); found != exports_.end()) {
    Sending& sending = *found->second;
    {
      MutexLock lock(sending.mutex);
      if (sending.progress.state == SnapshotFile::State::kWorking) return sending.progress;
    }
    sending.thread.join();
    SnapshotFile ended;
    {
      MutexLock lock(sending.mutex);
      ended = sending.progress;
    }
    exports_.erase(found);
    return ended;
  }
  const auto target = InBuckets(key);
  if (!target.ok()) return Failed(target.error());
  const Status made = MakeFolder(fs::path(*target).parent_path().string());
  if (!made.ok()) return Failed(made.error());
  auto sending = std::make_unique<Sending>();
  Sending* const running = sending.get();
  running->thread = std::thread([running, from = PathOf(snapshot), to = *target] {
    const Status copied = CopyFile(from, to);
    MutexLock lock(running->mutex);
    running->progress =
        copied.ok() ? SnapshotFile{.state = SnapshotFile::State::kDone} : Failed(copied.error());
  });
  exports_[name] = std::move(sending);
  return {};
}

Status SnapshotFolder::Remove(const std::string& snapshot) const {
  std::error_code failure;
  fs::remove_all(FolderOf(snapshot), failure);
  if (failure) {
    return Error{fmt::format("cannot remove {}: {}", FolderOf(snapshot), failure.message())};
  }
  return Ok();
}

Result<std::string> SnapshotFolder::InBuckets(std::string_view key) const {
  if (bucket_folder_.empty()) return Error{"the service has no folder of buckets"};
  std::error_code failure;
  const fs::path folder = fs::weakly_canonical(bucket_folder_, failure);
  // Links are followed first: none leads out.
  const fs::path path = fs::weakly_canonical(folder / fs::path(key).relative_path(), failure);
  if (failure || !IsBelow(path, folder)) {
    return Error{fmt::format("{} is not in the folder of buckets", key)};
  }
  return path.string();
}

Result<std::string> SnapshotFolder::FileOf(std::string_view data_source) const {
  std::string path;
  if (data_source.substr(0, kOfSnapshot.size()) == kOfSnapshot) {
    path = PathOf(std::string(data_source.substr(kOfSnapshot.size())));
  } else if (data_source.substr(0, kOfBucket.size()) == kOfBucket) {
    ASSIGN_OR_RETURN(path, InBuckets(data_source.substr(kOfBucket.size())));
  }
  std::error_code failure;
  if (fs::is_regular_file(path, failure)) return path;
  return Error{fmt::format("there is no file {}", path)};
}

}  // namespace mikura::control
