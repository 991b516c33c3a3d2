// SPDX-License-Identifier: Apache-2.0
// The forms of numbers and strings in RDB data, appended to a buffer.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace mikura::engine {

template <typename Integer>
void AppendRdbFixed(std::string& out, Integer value) {
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  out.append(bytes, sizeof(value));
}
void AppendRdbBigEndian(std::string& out, uint64_t value, int bytes);
void AppendRdbLength(std::string& out, uint64_t length);

// A text that lies plain in a buffer of RDB data and may be compressed: where its length begins,
// and how many bytes follow that.
struct RdbPlainText {
  size_t at;
  size_t size;
};
using RdbPlainTexts = std::vector<RdbPlainText>;

// Shorter ones are never compressed.
inline constexpr size_t kRdbCompressedMin = 21;

// A short decimal number as the number, everything else plain. Long texts are added to `texts`:
// compressing is left to whoever has the time (rdb_compression.h).
void AppendRdbText(std::string& out, std::string_view bytes, RdbPlainTexts* texts = nullptr);

}  // namespace mikura::engine
