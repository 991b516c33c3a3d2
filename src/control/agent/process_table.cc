// SPDX-License-Identifier: Apache-2.0
#include "control/agent/process_table.h"

#include <dirent.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <system_error>
#include <vector>

#include "base/numbers.h"

namespace mikura::control {
namespace {

std::string ReadProc(pid_t pid, const char* file) {
  std::ifstream in(fmt::format("/proc/{}/{}", pid, file), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The config file of an engine's command line; empty for other processes.
std::string ConfigFileOf(pid_t pid) {
  const std::string line = ReadProc(pid, "cmdline");
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
  const std::string stat = ReadProc(pid, "stat");
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
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  if (proc == nullptr) return engines;
  while (const dirent* entry = readdir(proc.get())) {
    const auto pid = ParseUint64(entry->d_name);
    if (!pid) continue;
    std::string config_file = ConfigFileOf(static_cast<pid_t>(*pid));
    if (!config_file.empty()) engines.emplace(std::move(config_file), static_cast<pid_t>(*pid));
  }
  return engines;
}

bool HasEnded(const ProcessHandle& process, int timeout_ms) {
  pollfd ended{process.pidfd.get(), POLLIN, 0};
  return poll(&ended, 1, timeout_ms) > 0;
}

bool IsStriving(const ProcessHandle& process) {
  std::error_code failure;
  const std::string tasks = fmt::format("/proc/{}/task", process.pid);
  for (const auto& task : std::filesystem::directory_iterator(tasks, failure)) {
    std::ifstream in(task.path() / "stat");
    const std::string stat{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
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
