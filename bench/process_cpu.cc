// SPDX-License-Identifier: Apache-2.0
#include "bench/process_cpu.h"

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "base/numbers.h"

namespace mikura::bench {
namespace {

std::optional<uint64_t> FromStat(int pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  // The name may hold blanks; after its closing parenthesis the third field of the file follows.
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string field;
  uint64_t ticks = 0;
  for (int number = 3; number <= 15 && fields >> field; ++number) {
    if (number >= 14) ticks += ParseUint64(field).value_or(0);
  }
  return ticks * 1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
}

}  // namespace

std::optional<uint64_t> ProcessCpuNanos(int pid) {
  const std::string folder = fmt::format("/proc/{}/task", pid);
  DIR* tasks = opendir(folder.c_str());
  if (tasks == nullptr) return std::nullopt;
  uint64_t nanos = 0;
  bool complete = true;
  while (const dirent* entry = readdir(tasks)) {
    if (entry->d_name[0] == '.') continue;
    std::ifstream file(fmt::format("{}/{}/schedstat", folder, entry->d_name));
    uint64_t thread_nanos = 0;
    complete = complete && static_cast<bool>(file >> thread_nanos);
    nanos += thread_nanos;
  }
  closedir(tasks);
  if (complete) return nanos;
  return FromStat(pid);
}

}  // namespace mikura::bench
