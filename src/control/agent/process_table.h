// SPDX-License-Identifier: Apache-2.0
// Processes of engines: found by their command line, held by a pidfd.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>

#include "control/agent/file_descriptor.h"

namespace mikura::control {

// A process that cannot be mistaken for another: the pidfd names it even after its pid is used
// again. It need not be a child.
struct ProcessHandle {
  pid_t pid = 0;
  std::string start_time;  // field 22 of /proc/PID/stat
  FileDescriptor pidfd;    // readable once the process has ended
};

// When the process started, in clock ticks since the host did; empty when it is gone.
std::string StartTimeOf(pid_t pid);

// Holds process `pid`, or nothing when it is gone or its command line is not "... engine
// <config file>".
std::optional<ProcessHandle> HoldEngine(pid_t pid, const std::string& config_file);

// All processes of the host whose command line is "... engine <config file>", by config file. No
// file of pids is needed, so a kill between a start and its record loses nothing.
// Cost: reads /proc once.
std::map<std::string, pid_t> FindEngines();

// Whether the process has ended; waits `timeout_ms` for it (-1: without end).
bool HasEnded(const ProcessHandle& process, int timeout_ms);

// Whether a thread of the process is runnable or waits for a disk: if it does not answer, then
// perhaps because the host is overloaded, not because it hangs.
bool IsStriving(const ProcessHandle& process);

// Why a process that has ended did so, in words; takes a child's exit status from the kernel.
std::string ExitReason(const ProcessHandle& process);

}  // namespace mikura::control
