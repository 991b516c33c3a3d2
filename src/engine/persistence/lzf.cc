// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/lzf.h"

#include <cstdint>
#include <cstring>

namespace mikura::engine {

// A control byte below 32: that many literal bytes and one more follow. Otherwise a copy of earlier
// output: its top three bits are the length less 2 (7: one more length byte follows), its low five
// bits and the next byte the distance less 1.
bool ExpandLzf(std::string_view compressed, std::span<char> out) {
  size_t in = 0;
  size_t done = 0;
  while (in < compressed.size()) {
    const auto control = static_cast<uint8_t>(compressed[in++]);
    if (control < 32) {
      const size_t length = control + 1u;
      if (length > compressed.size() - in || length > out.size() - done) return false;
      std::memcpy(out.data() + done, compressed.data() + in, length);
      in += length;
      done += length;
      continue;
    }
    size_t length = control >> 5;
    if (length == 7) {
      if (in == compressed.size()) return false;
      length += static_cast<uint8_t>(compressed[in++]);
    }
    length += 2;
    if (in == compressed.size()) return false;
    const size_t distance =
        ((control & 31u) << 8) + static_cast<uint8_t>(compressed[in++]) + size_t{1};
    if (distance > done || length > out.size() - done) return false;
    // Byte by byte: source and destination may overlap on purpose.
    for (size_t i = 0; i < length; ++i, ++done) out[done] = out[done - distance];
  }
  return done == out.size();
}

}  // namespace mikura::engine
