// SPDX-License-Identifier: Apache-2.0
// How much CPU a process has used: what a request costs the server, whatever the client does.
#pragma once

#include <cstdint>
#include <optional>

namespace mikura::bench {

// CPU nanoseconds (user and system) of all live threads of `pid`; nullopt when there is no such
// process. From /proc/PID/task/*/schedstat, the scheduler's own clock: the total of utime and
// stime, but finer than their 10 ms. Kernels without schedstat: from /proc/PID/stat. Cost: one open
// per thread of the process.
std::optional<uint64_t> ProcessCpuNanos(int pid);

}  // namespace mikura::bench
