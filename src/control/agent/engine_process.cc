// SPDX-License-Identifier: Apache-2.0
#include "control/agent/engine_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "control/agent/access_files.h"
#include "control/agent/node_log_file.h"
#include "control/agent/whole_file.h"

namespace mikura::control {
namespace {

// The descriptor of the lock file in the engine; it does nothing with it but keep it open.
constexpr int kLockDescriptor = 3;

Error Failed(const std::string& what, int code) {
  return Error{fmt::format("{}: {}", what, std::strerror(code))};
}

Result<FileDescriptor> TakeLock(const std::string& path) {
  FileDescriptor lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.valid()) return Failed("cannot write " + path, errno);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{"another process of this node is still running"};
  }
  return lock;
}

struct SpawnSettings {
  SpawnSettings() {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&files);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t files;
};

Result<pid_t> Spawn(const std::string& binary, const NodePaths& paths, int lock) {
  SpawnSettings settings;
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&settings.attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&settings.attributes, &signals);
  posix_spawnattr_setflags(&settings.attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawn_file_actions_adddup2(&settings.files, lock, kLockDescriptor);
  posix_spawn_file_actions_addopen(&settings.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&settings.files, STDOUT_FILENO, paths.log_file.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&settings.files, STDOUT_FILENO, STDERR_FILENO);
  // Whatever the process has open that a library did not mark close-on-exec, such as the listening
  // socket of the API: an engine that kept it would keep its port.
  posix_spawn_file_actions_addclosefrom_np(&settings.files, kLockDescriptor + 1);
  std::string program = binary;
  std::string role = "engine";
  std::string config_file = paths.config_file;
  char* const arguments[] = {program.data(), role.data(), config_file.data(), nullptr};
  pid_t pid = 0;
  const int failure =
      posix_spawn(&pid, binary.c_str(), &settings.files, &settings.attributes, arguments, environ);
  if (failure != 0) return Failed("cannot start " + binary, failure);
  return pid;
}

}  // namespace

Result<ProcessHandle> StartEngine(const std::string& binary, const NodeLaunch& launch,
                                  const NodePaths& paths) {
  std::error_code failure;
  std::filesystem::create_directories(paths.directory, failure);
  if (failure) return Failed("cannot create " + paths.directory, failure.value());
  ASSIGN_OR_RETURN(const FileDescriptor lock, TakeLock(paths.lock_file));
  unlink(paths.data_link.c_str());
  if (!launch.data_source.empty() && launch.primary.empty() &&
      symlink(launch.data_source.c_str(), paths.data_link.c_str()) != 0) {
    return Failed("cannot write " + paths.data_link, errno);
  }
  MoveLargeLog(paths);
  // In one piece: an engine must never be started with half a file.
  ASSIGN_OR_RETURN(const std::string access, AccessConfigText(paths));
  RETURN_IF_ERROR(WriteWholeFile(paths.config_file, EngineConfigText(launch, paths) + access));
  // What an earlier run left behind would only refuse connections.
  unlink(paths.admin_socket.c_str());
  ASSIGN_OR_RETURN(const pid_t pid, Spawn(binary, paths, lock.get()));
  ProcessHandle process;
  process.pid = pid;
  // A child keeps its pid until it is waited for, so the pid cannot be somebody else's yet.
  process.pidfd = FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process.pidfd.valid()) {
    kill(pid, SIGKILL);
    return Failed("cannot watch the process", errno);
  }
  process.start_time = StartTimeOf(pid);
  return process;
}

}  // namespace mikura::control
