// SPDX-License-Identifier: Apache-2.0
// CHECK ends the process on a bug; DCHECK does so in debug and sanitizer builds only.
// What the outside can cause is never a CHECK: it is a value (base/result.h).
#pragma once

namespace mikura {

// Prints "file:line: check failed: expression" to standard error and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* expression);

}  // namespace mikura

#define CHECK(expression)                                      \
  (__builtin_expect(!!(expression), 1)) ? static_cast<void>(0) \
                                        : ::mikura::CheckFailed(__FILE__, __LINE__, #expression)

#ifdef MIKURA_DCHECKS
#define DCHECK(expression) CHECK(expression)
#else
#define DCHECK(expression) static_cast<void>(sizeof(!(expression)))
#endif
