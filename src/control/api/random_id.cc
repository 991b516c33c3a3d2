// SPDX-License-Identifier: Apache-2.0
#include "control/api/random_id.h"

#include <sys/random.h>

#include <cerrno>

#include "base/check.h"

namespace mikura::control {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

unsigned char RandomByte() {
  unsigned char byte = 0;
  ssize_t got = 0;
  do {
    got = ::getrandom(&byte, 1, 0);
  } while (got < 0 && errno == EINTR);
  CHECK(got == 1);  // the call cannot fail otherwise for one byte
  return byte;
}

}  // namespace

std::string RandomText(size_t count, std::string_view alphabet) {
  DCHECK(alphabet.size() >= 2 && alphabet.size() <= 256);
  // Bytes at or over the last whole multiple would make the first characters likelier.
  const size_t bound = 256 - 256 % alphabet.size();
  std::string text;
  while (text.size() < count) {
    const unsigned char byte = RandomByte();
    if (byte < bound) text.push_back(alphabet[byte % alphabet.size()]);
  }
  return text;
}

std::string NewResourceId(std::string_view prefix) {
  return std::string(prefix) + RandomText(17, kHexDigits);
}

std::string NewRequestId() {
  std::string id = RandomText(36, kHexDigits);
  for (const size_t dash : {8, 13, 18, 23}) id[dash] = '-';
  id[14] = '4';
  id[19] = RandomText(1, "89ab")[0];
  return id;
}

}  // namespace mikura::control
