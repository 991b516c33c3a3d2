// SPDX-License-Identifier: Apache-2.0
#include "control/agent/node_log_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/logging.h"

namespace mikura::control {

std::string OlderLogFile(const NodePaths& paths) { return paths.log_file + ".1"; }

bool MoveLargeLog(const NodePaths& paths) {
  struct stat status {};
  // None yet, or the engine has not begun another since it was moved.
  if (stat(paths.log_file.c_str(), &status) != 0 || status.st_size <= kNodeLogBytesMax) {
    return false;
  }
  if (rename(paths.log_file.c_str(), OlderLogFile(paths).c_str()) == 0) return true;
  Log(LogLevel::kWarning, "agent", "cannot move {}: {}", paths.log_file, std::strerror(errno));
  return false;
}

}  // namespace mikura::control
