// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/append_log_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "base/file_io.h"
#include "base/logging.h"
#include "base/unique_fd.h"

namespace mikura::engine {
namespace {

constexpr size_t kManifestBytesMax = 16 << 20;

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

Result<std::string> ReadWhole(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return FileError("open", path);
  std::string text;
  char bytes[4096];
  while (true) {
    const ssize_t n = ReadSome(fd.get(), bytes, sizeof(bytes));
    if (n < 0) return FileError("read", path);
    if (n == 0) return text;
    text.append(bytes, static_cast<size_t>(n));
    if (text.size() > kManifestBytesMax) return Error{path + " is far too large"};
  }
}

Status WriteWhole(const std::string& path, std::string_view text) {
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd.valid()) return FileError("create", path);
  if (!WriteAll(fd.get(), text)) return FileError("write", path);
  if (fsync(fd.get()) != 0) return FileError("sync", path);
  return Ok();
}

}  // namespace

Status AppendLogFolder::Create() const {
  if (mkdir(folder_.c_str(), 0755) != 0 && errno != EEXIST) {
    return FileError("create the folder", folder_);
  }
  return Ok();
}

Result<AppendLogManifest> AppendLogFolder::Read() const {
  const std::string path = ManifestPath();
  if (!Exists(path)) return AppendLogManifest();
  ASSIGN_OR_RETURN(const std::string text, ReadWhole(path));
  return AppendLogManifest::Parse(text, path);
}

Status AppendLogFolder::Store(const AppendLogManifest& manifest) const {
  const std::string temporary = PathOf("temp-" + name_ + ".manifest");
  Status written = WriteWhole(temporary, manifest.Text());
  if (!written.ok()) {
    unlink(temporary.c_str());
    return written;
  }
  if (rename(temporary.c_str(), ManifestPath().c_str()) != 0) {
    return FileError("rename to", ManifestPath());
  }
  return Sync();
}

Status AppendLogFolder::Sync() const {
  const UniqueFd fd(open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || fsync(fd.get()) != 0) return FileError("sync", folder_);
  return Ok();
}

Status AppendLogFolder::DeleteHistory(AppendLogManifest& manifest) const {
  if (manifest.history.empty()) return Ok();
  for (const AppendLogManifest::File& file : manifest.history) {
    if (unlink(PathOf(file).c_str()) != 0 && errno != ENOENT) {
      return FileError("delete", PathOf(file));
    }
  }
  manifest.history.clear();
  return Store(manifest);
}

void AppendLogFolder::DeleteLeftovers() const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    const std::string file = entry.path().filename().string();
    const bool is_ours = file.starts_with("temp-" + name_ + ".") ||
                         (file.starts_with(name_ + ".") && file.ends_with(".tmp"));
    if (!is_ours) continue;
    if (unlink(entry.path().c_str()) == 0) {
      Log(LogLevel::kNotice, "append-log", "deleted {}, which was not finished",
          entry.path().string());
    }
  }
}

Status AppendLogFolder::AdoptSingleFile(AppendLogManifest& manifest) const {
  // It may have been interrupted between the manifest and the move.
  const bool was_begun = manifest.base && manifest.increments.empty() &&
                         manifest.base->name == name_ && !Exists(PathOf(name_));
  if (!Exists(name_) || !(manifest.empty() || was_begun)) return Ok();
  RETURN_IF_ERROR(Create());
  manifest.base = AppendLogManifest::File{name_, 1};
  manifest.last_base = 1;
  RETURN_IF_ERROR(Store(manifest));
  if (rename(name_.c_str(), PathOf(name_).c_str()) != 0) {
    return FileError("rename to", PathOf(name_));
  }
  Log(LogLevel::kNotice, "append-log", "{} of an older Redis is the base in {} now", name_,
      folder_);
  return Sync();
}

Result<uint64_t> AppendLogFolder::Size(const AppendLogManifest& manifest) const {
  uint64_t total = 0;
  const auto add = [&](const AppendLogManifest::File& file) -> Status {
    struct stat info {};
    if (stat(PathOf(file).c_str(), &info) != 0) return FileError("find", PathOf(file));
    total += static_cast<uint64_t>(info.st_size);
    return Ok();
  };
  if (manifest.base) RETURN_IF_ERROR(add(*manifest.base));
  for (const AppendLogManifest::File& file : manifest.increments) RETURN_IF_ERROR(add(file));
  return total;
}

}  // namespace mikura::engine
