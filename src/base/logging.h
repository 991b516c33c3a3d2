// SPDX-License-Identifier: Apache-2.0
// A log line is fmt and one write: "2026-01-02T03:04:05.678Z level component: message".
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace mikura {

enum class LogLevel { kDebug, kInfo, kNotice, kWarning, kError };

// Lines below `level` are dropped. Thread-safe.
void SetLogLevel(LogLevel level);
LogLevel CurrentLogLevel();

// Redirects the log to `path` (appending), losing no line; empty: to standard error, at the start.
// Returns false, with errno set, when the file cannot be opened: the log goes on where it went.
bool SetLogFile(const std::string& path);

// Writes one line with one write(2); never under a shard lock (it may block).
void WriteLogLine(LogLevel level, std::string_view component, std::string_view message);

template <typename... Args>
void Log(LogLevel level, std::string_view component, fmt::format_string<Args...> format,
         Args&&... args) {
  if (level < CurrentLogLevel()) return;
  WriteLogLine(level, component, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace mikura
