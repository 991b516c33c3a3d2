// SPDX-License-Identifier: Apache-2.0
#include "base/random_bytes.h"

#include <sys/random.h>

#include "base/check.h"

namespace mikura {

std::string RandomBytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t have = 0; have < size;) {
    const ssize_t got = getrandom(bytes.data() + have, size - have, 0);
    CHECK(got > 0);
    have += static_cast<size_t>(got);
  }
  return bytes;
}

}  // namespace mikura
