// SPDX-License-Identifier: Apache-2.0
#include "bench/process_cpu.h"

#include <dirent.h>
#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "base/numbers.h"

namespace mikura::bench {
namespace {

std::vector<int> ThreadsOf(int pid) {
  std::vector<int> threads;
  DIR* const tasks = opendir(fmt::format("/proc/{}/task", pid).c_str());
  if (tasks == nullptr) return threads;
  while (const dirent* entry = readdir(tasks)) {
    if (const auto id = ParseUint64(entry->d_name)) threads.push_back(static_cast<int>(*id));
  }
  closedir(tasks);
  return threads;
}

UniqueFd OpenTaskClock(int thread) {
  perf_event_attr wanted{};
  wanted.size = sizeof(wanted);
  wanted.type = PERF_TYPE_SOFTWARE;
  wanted.config = PERF_COUNT_SW_TASK_CLOCK;
  wanted.inherit = 1;
  return UniqueFd(static_cast<int>(
      syscall(SYS_perf_event_open, &wanted, thread, -1, -1, PERF_FLAG_FD_CLOEXEC)));
}

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

ProcessCpu::ProcessCpu(int pid) : pid_(pid) {
  for (const int thread : ThreadsOf(pid)) {
    UniqueFd clock = OpenTaskClock(thread);
    if (!clock.valid()) {
      clocks_.clear();
      return;
    }
    clocks_.push_back(std::move(clock));
  }
}

std::optional<uint64_t> ProcessCpu::Nanos() const {
  if (clocks_.empty()) return FromStat(pid_);
  uint64_t sum = 0;
  for (const UniqueFd& clock : clocks_) {
    uint64_t nanos = 0;
    if (read(clock.get(), &nanos, sizeof(nanos)) != sizeof(nanos)) return std::nullopt;
    sum += nanos;
  }
  return sum;
}

}  // namespace mikura::bench
