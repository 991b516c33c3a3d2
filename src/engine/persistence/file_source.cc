// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/file_source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file_io.h"

namespace mikura::engine {

Result<FileSource> FileSource::Open(const std::string& path, LoadProgress* progress) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return FileError("open", path);
  return FileSource(std::move(fd), path, progress);
}

Result<size_t> FileSource::Read(char* out, size_t size) {
  if (progress_ != nullptr && progress_->is_interrupted.load(std::memory_order_relaxed)) {
    return Error{"it was interrupted"};
  }
  const ssize_t n = ReadSome(fd_.get(), out, size);
  if (n < 0) return FileError("read", path_);
  const auto count = static_cast<size_t>(n);
  if (progress_ != nullptr) progress_->bytes_done.fetch_add(count, std::memory_order_relaxed);
  return count;
}

uint64_t FileSource::size() const {
  struct stat info {};
  return fstat(fd_.get(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

}  // namespace mikura::engine
