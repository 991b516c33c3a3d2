// SPDX-License-Identifier: Apache-2.0
// One increment of the append log, open for writing behind its end.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace mikura::engine {

// What is asked of the operating system: as those calls, -1 and errno after an error. Tests put a
// failing disk here.
class FileCalls {
 public:
  virtual ~FileCalls() = default;
  virtual ssize_t WriteAt(int fd, const iovec* pieces, int count, off_t offset);
  virtual int Sync(int fd);
  virtual int Truncate(int fd, off_t size);
};

// Not thread-safe.
class AppendLogFile {
 public:
  // A new, empty file; one of that name is emptied. `calls` lives longer.
  static Result<std::unique_ptr<AppendLogFile>> Create(const std::string& path, FileCalls& calls);
  // One that is there.
  static Result<std::unique_ptr<AppendLogFile>> Open(const std::string& path, FileCalls& calls);

  // Appends all pieces, or none of them: after an error the file ends where it did before. 0, or
  // the number of the error.
  int Write(std::span<const std::string_view> pieces);
  // What was written is on the disk. 0, or the number of the error.
  int Sync();
  // Drops everything from `size` on. 0, or the number of the error; then nothing can be written
  // before it succeeded.
  int CutAt(uint64_t size);

  uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }

 private:
  AppendLogFile(UniqueFd fd, std::string path, FileCalls& calls, uint64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), calls_(calls), size_(size) {}
  int WritePieces(uint64_t offset);

  UniqueFd fd_;
  const std::string path_;
  FileCalls& calls_;
  uint64_t size_;          // what counts
  bool has_tail_ = false;  // something may lie behind it
  std::vector<iovec> pieces_;
};

}  // namespace mikura::engine
