// SPDX-License-Identifier: Apache-2.0
// Bytes over a Unix socket, with a descriptor beside them (SCM_RIGHTS).
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "control/agent/file_descriptor.h"

namespace mikura::control {

// One sendmsg() of `bytes`, and of `passed` unless that is -1. Returns how many bytes went, or -1
// and errno. Blocks if the socket does.
ssize_t SendWithDescriptor(int socket, std::string_view bytes, int passed);

// One recvmsg() of up to 16 KiB, appended to `bytes`. A descriptor that comes with them replaces
// `passed`, which is else left as it is. Returns how many bytes came, 0 at the end, or -1 and
// errno. Blocks if the socket does.
ssize_t ReceiveWithDescriptor(int socket, std::string& bytes, FileDescriptor& passed);

}  // namespace mikura::control
