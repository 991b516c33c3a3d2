// SPDX-License-Identifier: Apache-2.0
// A file that is loaded, and how far that is.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "engine/persistence/rdb_input.h"

namespace mikura::engine {

// How far a file is loaded. Published by the thread that loads, to INFO: nothing else hangs on it.
struct LoadProgress {
  std::atomic<uint64_t> bytes_total{0};
  std::atomic<uint64_t> bytes_done{0};
  // Asks that thread to end with an error, soon; publishes nothing but itself.
  std::atomic<bool> is_interrupted{false};
};

class FileSource final : public ByteSource {
 public:
  // progress: gets what is read of it; may be null. Errors: it cannot be opened.
  static Result<FileSource> Open(const std::string& path, LoadProgress* progress);

  Result<size_t> Read(char* out, size_t size) override;
  const std::string& path() const { return path_; }
  // Bytes of the file now; 0 when that cannot be found out.
  uint64_t size() const;

 private:
  FileSource(UniqueFd fd, std::string path, LoadProgress* progress)
      : fd_(std::move(fd)), path_(std::move(path)), progress_(progress) {}

  UniqueFd fd_;
  std::string path_;
  LoadProgress* progress_;
};

}  // namespace mikura::engine
