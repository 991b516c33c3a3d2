// SPDX-License-Identifier: Apache-2.0
#include "base/logging.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace mikura {
namespace {

// Relaxed: a line more or less around a change of level does not matter.
std::atomic<int> log_level{static_cast<int>(LogLevel::kInfo)};  // NOLINT(*-non-const-global-*)
// Published once at start-up; readers only pass it to write(2).
std::atomic<int> log_fd{STDERR_FILENO};  // NOLINT(*-non-const-global-*)

constexpr std::string_view kLevelNames[] = {"debug", "info", "notice", "warning", "error"};

}  // namespace

void SetLogLevel(LogLevel level) {
  log_level.store(static_cast<int>(level), std::memory_order_relaxed);
}

LogLevel CurrentLogLevel() {
  return static_cast<LogLevel>(log_level.load(std::memory_order_relaxed));
}

bool SetLogFile(const std::string& path) {
  int fd = STDERR_FILENO;
  if (!path.empty()) {
    fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0) return false;
  }
  const int old = log_fd.load(std::memory_order_acquire);
  if (old == STDERR_FILENO || fd == STDERR_FILENO) {
    log_fd.store(fd, std::memory_order_release);
    if (old != STDERR_FILENO) close(old);
    return true;
  }
  // Whoever writes meanwhile writes to the one file or the other: the number stays open.
  const bool done = dup3(fd, old, O_CLOEXEC) >= 0;
  close(fd);
  return done;
}

void WriteLogLine(LogLevel level, std::string_view component, std::string_view message) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  const std::string line = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z {} {}: {}\n",
                                       utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                                       utc.tm_min, utc.tm_sec, now.tv_nsec / 1'000'000,
                                       kLevelNames[static_cast<int>(level)], component, message);
  // A log line that cannot be written has nowhere to be reported.
  [[maybe_unused]] const ssize_t written =
      write(log_fd.load(std::memory_order_acquire), line.data(), line.size());
}

}  // namespace mikura
