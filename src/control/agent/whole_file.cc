// SPDX-License-Identifier: Apache-2.0
#include "control/agent/whole_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "control/agent/file_descriptor.h"

namespace mikura::control {
namespace {

Error Failed(const std::string& what) {
  return Error{fmt::format("{}: {}", what, std::strerror(errno))};
}

}  // namespace

Status WriteWholeFile(const std::string& path, const std::string& text, unsigned mode) {
  const std::string fresh = path + ".new";
  FileDescriptor file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  // The mode of a file that was left behind is its old one.
  if (!file.valid() || fchmod(file.get(), mode) != 0) return Failed("cannot write " + fresh);
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = write(file.get(), text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Failed("cannot write " + fresh);
    written += static_cast<size_t>(count);
  }
  if (fdatasync(file.get()) != 0) return Failed("cannot write " + fresh);
  if (rename(fresh.c_str(), path.c_str()) != 0) return Failed("cannot write " + path);
  return Ok();
}

Result<std::optional<std::string>> ReadWholeFile(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    if (errno == ENOENT) return std::optional<std::string>();
    return Failed("cannot read " + path);
  }
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t count = read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failed("cannot read " + path);
    if (count == 0) return std::optional<std::string>(std::move(text));
    text.append(buffer, static_cast<size_t>(count));
  }
}

}  // namespace mikura::control
