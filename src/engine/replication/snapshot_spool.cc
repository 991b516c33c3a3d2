// SPDX-License-Identifier: Apache-2.0
#include "engine/replication/snapshot_spool.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "base/file_io.h"

namespace mikura::engine {

SnapshotSpool::SnapshotSpool(const std::string& folder)
    : fd_(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) {}

Status SnapshotSpool::Write(std::string_view bytes) {
  if (!WriteAll(fd_.get(), bytes)) return FileError("write", "the spool");
  size_ += bytes.size();
  return Ok();
}

Result<size_t> SnapshotSpool::Read(char* out, size_t size) {
  const auto wanted = static_cast<size_t>(std::min<uint64_t>(size, size_ - read_));
  while (wanted > 0) {
    const ssize_t n = pread(fd_.get(), out, wanted, static_cast<off_t>(read_));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Error{"cannot read the spool"};
    read_ += static_cast<uint64_t>(n);
    return static_cast<size_t>(n);
  }
  return size_t{0};
}

Status SnapshotSpool::CopyTo(SnapshotSink& sink) {
  std::string buffer(256 * 1024, '\0');
  while (true) {
    ASSIGN_OR_RETURN(const size_t count, Read(buffer.data(), buffer.size()));
    if (count == 0) return Ok();
    RETURN_IF_ERROR(sink.Write({buffer.data(), count}));
  }
}

}  // namespace mikura::engine
