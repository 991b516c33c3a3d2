// SPDX-License-Identifier: Apache-2.0
#include "control/metadata/data_dir_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <thread>

#include "base/numbers.h"

namespace mikura::control {
namespace {

constexpr std::chrono::seconds kInheritedMax{10};
constexpr std::chrono::milliseconds kRetryPause{5};

// The pid that the holder wrote into the lock file, or "?" in the instant before it has.
std::string HolderOf(int fd) {
  char text[32] = {};
  const ssize_t length = pread(fd, text, sizeof text - 1, 0);
  std::string holder(text, length > 0 ? static_cast<size_t>(length) : 0);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return holder.empty() ? "?" : holder;
}

// Whether the process that wrote itself down as holder has ended.
bool HasEnded(const std::string& holder) {
  const auto pid = ParseInt64(holder);
  return pid && *pid > 0 && kill(static_cast<pid_t>(*pid), 0) != 0 && errno == ESRCH;
}

// A holder that was killed while it started an engine lives on in that child, which has its
// descriptors for the moment until it runs its own program.
bool Lock(int fd) {
  const auto deadline = std::chrono::steady_clock::now() + kInheritedMax;
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (!HasEnded(HolderOf(fd)) || std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kRetryPause);
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<DataDirLock>> DataDirLock::Take(const std::string& directory) {
  std::error_code failure;
  if (!std::filesystem::is_directory(directory, failure)) {
    std::filesystem::create_directories(directory, failure);
    if (failure) {
      return Error{
          fmt::format("cannot create the data directory {}: {}", directory, failure.message())};
    }
    // Keys and secrets of the service live here: nobody else may read them.
    chmod(directory.c_str(), 0700);
  }
  const std::string path = directory + "/mikura.lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return Error{
        fmt::format("cannot write to the data directory {}: {}", directory, std::strerror(errno))};
  }
  if (!Lock(fd)) {
    const std::string holder = HolderOf(fd);
    close(fd);
    return Error{fmt::format(
        "the data directory {} is in use by process {}: stop that one, or give another --data-dir",
        directory, holder)};
  }
  const std::string pid = fmt::format("{}\n", getpid());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    const std::string reason = std::strerror(errno);
    close(fd);
    return Error{fmt::format("cannot write to the data directory {}: {}", directory, reason)};
  }
  return std::unique_ptr<DataDirLock>(new DataDirLock(fd));
}

DataDirLock::~DataDirLock() { close(fd_); }

}  // namespace mikura::control
