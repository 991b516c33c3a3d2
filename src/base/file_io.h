// SPDX-License-Identifier: Apache-2.0
// Reading and writing descriptors whole, and the words for what fails.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mikura {

// "cannot WHAT PATH: why", with the words for errno.
Error FileError(std::string_view what, const std::string& path);

// All of it, however many calls that takes. False after an error, which errno tells.
bool WriteAll(int fd, std::string_view bytes);
// As read(), which no signal interrupts.
ssize_t ReadSome(int fd, char* out, size_t size);

}  // namespace mikura
