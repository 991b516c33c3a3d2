// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace mikura::engine {

// Raises the process' limit of file descriptors so that `clients` connections fit beside its own,
// as far as the system allows. Returns how many clients fit: `clients`, or fewer.
int64_t RaiseFileLimit(int64_t clients);

}  // namespace mikura::engine
