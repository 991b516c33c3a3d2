// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace mikura {

// `size` bytes of the kernel's random numbers, good enough for passwords.
std::string RandomBytes(size_t size);

}  // namespace mikura
