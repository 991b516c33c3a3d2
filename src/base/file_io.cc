// SPDX-License-Identifier: Apache-2.0
#include "base/file_io.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mikura {

Error FileError(std::string_view what, const std::string& path) {
  return Error{fmt::format("cannot {} {}: {}", what, path, std::strerror(errno))};
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

ssize_t ReadSome(int fd, char* out, size_t size) {
  while (true) {
    const ssize_t n = read(fd, out, size);
    if (n >= 0 || errno != EINTR) return n;
  }
}

}  // namespace mikura
