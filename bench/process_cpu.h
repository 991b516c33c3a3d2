// SPDX-License-Identifier: Apache-2.0
// How much CPU a process uses: what a request costs the server, whatever the client does.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/unique_fd.h"

namespace mikura::bench {

// Counts the CPU nanoseconds (user and system) of the threads that `pid` has when it is made, and
// of those that they start.
//
// From the kernel's task clock (perf_event_open), where that is permitted: exact. Otherwise from
// /proc/PID/stat, whose figures come in steps of 10 ms and miss what a thread has run since its
// core's last tick; a thread that never sleeps, on a core of its own, may seem to use nothing.
class ProcessCpu {
 public:
  explicit ProcessCpu(int pid);

  // Since some time before the object was made; nullopt when there is no such process. Cost: one
  // system call per thread.
  std::optional<uint64_t> Nanos() const;

 private:
  int pid_;
  std::vector<UniqueFd> clocks_;  // one per thread; none: not permitted
};

}  // namespace mikura::bench
