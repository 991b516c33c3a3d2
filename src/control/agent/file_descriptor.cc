// SPDX-License-Identifier: Apache-2.0
#include "control/agent/file_descriptor.h"

#include <unistd.h>

namespace mikura::control {

void FileDescriptor::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

}  // namespace mikura::control
