// SPDX-License-Identifier: Apache-2.0
#include "control/agent/process_table.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "base/numbers.h"

namespace mikura::control {
namespace {

// A whole file of /proc; empty when the process is gone, before or while it is read. (A stream
// would throw in the second case.)
std::string ReadProc(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = read(file.get(), buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<size_t>(count));
  }
  return count < 0 ? "" : text;
}

// The entries of a directory of /proc that are numbers: processes, or threads of one.
std::vector<pid_t> NumbersIn(const std::string& path) {
  std::vector<pid_t> numbers;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  if (directory == nullptr) return numbers;
  while (const dirent* entry = readdir(directory.get())) {
    if (const auto number = ParseUint64(entry->d_name)) {
      numbers.push_back(static_cast<pid_t>(*number));
    }
  }
  return numbers;
}

// The config file of an engine's command line; empty for other processes.
std::string ConfigFileOf(pid_t pid) {
  const std::string line = ReadProc(fmt::format("/proc/{}/cmdline", pid));
  std::vector<std::string> words;
  for (size_t begin = 0; begin < line.size();) {
    const size_t end = std::min(line.find('\0', begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return words.size() == 3 && words[1] == "engine" ? words[2] : "";
}

}  // namespace

// The command is in parentheses and may hold anything, so fields are counted after the last one.
std::string StartTimeOf(pid_t pid) {
  constexpr int kFieldsAfterCommand = 20;  // state is field 3, start time field 22
  const std::string stat = ReadProc(fmt::format("/proc/{}/stat", pid));
  const size_t close = stat.rfind(')');
  if (close == stat.npos) return "";
  size_t at = close + 1;
  for (int field = 1; field < kFieldsAfterCommand; ++field) {
    at = stat.find(' ', at + 1);
    if (at == stat.npos) return "";
  }
  return stat.substr(at + 1, stat.find(' ', at + 1) - at - 1);
}

std::optional<ProcessHandle> HoldEngine(pid_t pid, const std::string& config_file) {
  ProcessHandle process;
  process.pid = pid;
  process.pidfd = FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process.pidfd.valid()) return std::nullopt;
  // Looked at after the pidfd was opened: if the command line is right now, the pidfd is too.
  process.start_time = StartTimeOf(pid);
  if (ConfigFileOf(pid) != config_file) return std::nullopt;
  return process;
}

std::map<std::string, pid_t> FindEngines() {
  std::map<std::string, pid_t> engines;
  for (const pid_t pid : NumbersIn("/proc")) {
    std::string config_file = ConfigFileOf(pid);
    if (!config_file.empty()) engines.emplace(std::move(config_file), pid);
  }
  return engines;
}

bool HasEnded(const ProcessHandle& process, int timeout_ms) {
  pollfd ended{process.pidfd.get(), POLLIN, 0};
  return poll(&ended, 1, timeout_ms) > 0;
}

bool IsStriving(const ProcessHandle& process) {
  const std::string tasks = fmt::format("/proc/{}/task", process.pid);
  for (const pid_t task : NumbersIn(tasks)) {
    const std::string stat = ReadProc(fmt::format("{}/{}/stat", tasks, task));
    const size_t close = stat.rfind(')');
    if (close == stat.npos || close + 2 >= stat.size()) continue;
    const char state = stat[close + 2];
    if (state == 'R' || state == 'D') return true;
  }
  return false;
}

std::string ExitReason(const ProcessHandle& process) {
  siginfo_t info{};
  const auto id = static_cast<id_t>(process.pidfd.get());
  if (waitid(P_PIDFD, id, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) {
    return "its process ended";
  }
  if (info.si_code == CLD_EXITED) {
    return fmt::format("its process ended with exit code {}", info.si_status);
  }
  return fmt::format("its process was ended by signal {} ({})", info.si_status,
                     strsignal(info.si_status));
}

}  // namespace mikura::control
