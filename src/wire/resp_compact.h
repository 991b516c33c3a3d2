// SPDX-License-Identifier: Apache-2.0
// The usual request in the usual form, parsed inline: what nearly every request of a pipeline is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mikura::wire {

// The bytes of the word "$N\r\n...\r\n" at `p`, when it is all there, N has one to three digits,
// none of them a leading zero; `p` is moved behind it. Otherwise null.
inline const char* CompactWord(const char*& p, const char* end) {
  constexpr ptrdiff_t kShortest = 7;  // "$1\r\nx\r\n", and no header is longer
  if (end - p < kShortest || p[0] != '$') return nullptr;
  const auto digit = [p](int i) { return static_cast<unsigned>(static_cast<uint8_t>(p[i])) - '0'; };
  unsigned length = digit(1);
  if (length - 1 > 8) return nullptr;
  const char* line_end = p + 2;
  if (digit(2) <= 9) {
    length = length * 10 + digit(2);
    ++line_end;
    if (digit(3) <= 9) {
      length = length * 10 + digit(3);
      ++line_end;
    }
  }
  const char* const word = line_end + 2;
  if (line_end[0] != '\r' || line_end[1] != '\n') return nullptr;
  if (end - word < static_cast<ptrdiff_t>(length) + 2) return nullptr;
  p = word + length + 2;
  return word;
}

// Parses one request at the start of `input` when it is all there and has the form "*N" with N of
// one digit and words of 1 to 999 bytes; appends its words and returns its size. Returns 0, with
// nothing appended, in every other case: ParseResp() decides then. Whatever is accepted here
// ParseResp() accepts with the same words, before authentication too.
inline size_t ParseCompactResp(std::string_view input, std::vector<std::string_view>& words) {
  const char* p = input.data();
  const char* const end = p + input.size();
  if (end - p < 4 || p[0] != '*' || p[2] != '\r' || p[3] != '\n') return 0;
  const unsigned count = static_cast<unsigned char>(p[1]) - '0';
  if (count - 1 > 8) return 0;
  p += 4;
  const size_t before = words.size();
  for (unsigned i = 0; i < count; ++i) {
    const char* const word = CompactWord(p, end);
    if (word == nullptr) {
      words.resize(before);
      return 0;
    }
    words.emplace_back(word, static_cast<size_t>(p - word - 2));
  }
  return static_cast<size_t>(p - input.data());
}

}  // namespace mikura::wire
