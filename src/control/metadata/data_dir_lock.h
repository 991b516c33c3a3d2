// SPDX-License-Identifier: Apache-2.0
// One process at a time per data directory.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace mikura::control {

class DataDirLock {
 public:
  // Creates `directory` (mode 0700, parents too) when it is missing and locks it until the returned
  // object, or the process, ends: kill -9 leaves no stale lock.
  // Errors: the directory cannot be made or written; another process has it, named by its pid.
  static Result<std::unique_ptr<DataDirLock>> Take(const std::string& directory);

  ~DataDirLock();
  DataDirLock(const DataDirLock&) = delete;
  DataDirLock& operator=(const DataDirLock&) = delete;

 private:
  explicit DataDirLock(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace mikura::control
