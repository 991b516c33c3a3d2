// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/append_log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file_io.h"

namespace mikura::engine {
namespace {

constexpr size_t kPiecesMax = 1024;  // IOV_MAX of Linux

}  // namespace

ssize_t FileCalls::WriteAt(int fd, const iovec* pieces, int count, off_t offset) {
  return pwritev(fd, pieces, count, offset);
}
int FileCalls::Sync(int fd) { return fdatasync(fd); }
int FileCalls::Truncate(int fd, off_t size) { return ftruncate(fd, size); }

Result<std::unique_ptr<AppendLogFile>> AppendLogFile::Create(const std::string& path,
                                                             FileCalls& calls) {
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd.valid()) return FileError("create", path);
  return std::unique_ptr<AppendLogFile>(new AppendLogFile(std::move(fd), path, calls, 0));
}

Result<std::unique_ptr<AppendLogFile>> AppendLogFile::Open(const std::string& path,
                                                           FileCalls& calls) {
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  struct stat info {};
  if (!fd.valid() || fstat(fd.get(), &info) != 0) return FileError("open", path);
  return std::unique_ptr<AppendLogFile>(
      new AppendLogFile(std::move(fd), path, calls, static_cast<uint64_t>(info.st_size)));
}

int AppendLogFile::Write(std::span<const std::string_view> pieces) {
  if (has_tail_) {
    if (const int error = CutAt(size_); error != 0) return error;
  }
  uint64_t end = size_;
  while (!pieces.empty()) {
    const auto now = pieces.first(std::min(pieces.size(), kPiecesMax));
    pieces = pieces.subspan(now.size());
    pieces_.clear();
    uint64_t bytes = 0;
    for (const std::string_view piece : now) {
      bytes += piece.size();
      pieces_.push_back({const_cast<char*>(piece.data()), piece.size()});
    }
    if (const int error = WritePieces(end); error != 0) {
      CutAt(size_);  // when that fails too, it is done before the next write
      return error;
    }
    end += bytes;
  }
  size_ = end;
  return 0;
}

// All of pieces_.
int AppendLogFile::WritePieces(uint64_t offset) {
  iovec* next = pieces_.data();
  iovec* const end = next + pieces_.size();
  while (next != end) {
    const ssize_t n =
        calls_.WriteAt(fd_.get(), next, static_cast<int>(end - next), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return ENOSPC;
    offset += static_cast<uint64_t>(n);
    auto left = static_cast<size_t>(n);
    while (next != end && left >= next->iov_len) left -= (next++)->iov_len;
    if (next == end) break;
    next->iov_base = static_cast<char*>(next->iov_base) + left;
    next->iov_len -= left;
  }
  return 0;
}

int AppendLogFile::Sync() {
  while (calls_.Sync(fd_.get()) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

int AppendLogFile::CutAt(uint64_t size) {
  size_ = size;
  has_tail_ = true;
  while (calls_.Truncate(fd_.get(), static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) return errno;
  }
  has_tail_ = false;
  return 0;
}

}  // namespace mikura::engine
