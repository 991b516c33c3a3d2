// SPDX-License-Identifier: Apache-2.0
// The usual memcached text request in the usual form, parsed inline: what nearly every request of a
// pipeline is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "wire/memcached_request.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace mikura::wire {

// Reads one line of at most `end - at` bytes word by word. Every step returns false when the line
// is not of the usual form or not all there.
class CompactLine {
 public:
  CompactLine(const char* at, const char* end) : at_(at), end_(end) {}

  const char* at() const { return at_; }

  // A word of one byte or more above the blank.
  bool Word(std::string_view* word) {
    const char* const begin = at_;
    at_ = WordEnd();
    *word = std::string_view(begin, static_cast<size_t>(at_ - begin));
    return at_ != begin && at_ != end_;
  }
  // One to nine digits.
  bool Number(uint32_t* number) {
    const char* const begin = at_;
    uint32_t value = 0;
    for (; at_ != end_; ++at_) {
      const unsigned digit = static_cast<unsigned char>(*at_) - unsigned{'0'};
      if (digit > 9) break;
      value = value * 10 + digit;
    }
    *number = value;
    return at_ != begin && at_ - begin <= 9 && at_ != end_;
  }
  bool Byte(char expected) { return at_ != end_ && *at_++ == expected; }
  bool Text(std::string_view text) {
    if (static_cast<size_t>(end_ - at_) < text.size()) return false;
    if (std::memcmp(at_, text.data(), text.size()) != 0) return false;
    at_ += text.size();
    return true;
  }
  bool LineEnd() {
    if (end_ - at_ < 2 || at_[0] != '\r' || at_[1] != '\n') return false;
    at_ += 2;
    return true;
  }
  bool IsAt(char byte) const { return at_ != end_ && *at_ == byte; }
  // The next `size` bytes with a line end behind them.
  bool Data(size_t size, std::string_view* data) {
    if (static_cast<size_t>(end_ - at_) < size + 2) return false;
    *data = std::string_view(at_, size);
    at_ += size;
    return LineEnd();
  }

 private:
  // The first byte that is a blank or a control character; end_ when there is none.
  const char* WordEnd() const {
    const char* at = at_;
#ifdef __SSE2__
    const __m128i blanks = _mm_set1_epi8(' ');
    for (; end_ - at >= 16; at += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
      const __m128i stops = _mm_cmpeq_epi8(_mm_min_epu8(bytes, blanks), bytes);
      const auto mask = static_cast<unsigned>(_mm_movemask_epi8(stops));
      if (mask != 0) return at + __builtin_ctz(mask);
    }
#endif
    while (at != end_ && static_cast<unsigned char>(*at) > ' ') ++at;
    return at;
  }

  const char* at_;
  const char* end_;
};

// The flags of mg and ms up to the line end: letters of `plain` without argument, each once, and
// for ms T and F with digits.
inline bool CompactMetaFlags(CompactLine& line, MetaFlagSet plain, bool is_set,
                             MemcachedRequest* request) {
  const char* const begin = line.at() + 1;
  while (line.IsAt(' ')) {
    line.Byte(' ');
    std::string_view word;
    CompactLine flag = line;
    if (!line.Word(&word) || request->meta.Has(word[0])) return false;
    uint32_t number = 0;
    if (is_set && (word[0] == 'T' || word[0] == 'F')) {
      flag.Byte(word[0]);
      if (!flag.Number(&number) || flag.at() != line.at()) return false;
      if (word[0] == 'T') request->exptime = number;
      if (word[0] == 'F') request->client_flags = number;
    } else if (word.size() != 1 || !plain.Has(word[0])) {
      return false;
    }
    request->meta.Add(word[0]);
  }
  if (line.at() > begin) {
    request->meta_flags = std::string_view(begin, static_cast<size_t>(line.at() - begin));
  }
  request->noreply = request->meta.Has('q');
  return line.LineEnd();
}

// get KEY, gets KEY
inline bool CompactGet(CompactLine& line, MemcachedRequest* request) {
  request->command = MemcachedCommand::kGet;
  if (line.IsAt('s')) {
    line.Byte('s');
    request->command = MemcachedCommand::kGets;
  }
  return line.Byte(' ') && line.Word(&request->key) && request->key != kMemcachedClusterKey &&
         line.LineEnd();
}

// set KEY FLAGS EXPTIME SIZE [noreply]
inline bool CompactSet(CompactLine& line, MemcachedRequest* request) {
  uint32_t exptime = 0;
  uint32_t size = 0;
  if (!line.Byte(' ') || !line.Word(&request->key) || !line.Byte(' ') ||
      !line.Number(&request->client_flags) || !line.Byte(' ') || !line.Number(&exptime) ||
      !line.Byte(' ') || !line.Number(&size)) {
    return false;
  }
  if (line.IsAt(' ')) {
    if (!line.Text(" noreply")) return false;
    request->noreply = true;
  }
  request->command = MemcachedCommand::kSet;
  request->exptime = exptime;
  return line.LineEnd() && line.Data(size, &request->data);
}

// mg KEY [FLAG...]
inline bool CompactMetaGet(CompactLine& line, MemcachedRequest* request) {
  request->command = MemcachedCommand::kMetaGet;
  constexpr MetaFlagSet kPlain = MetaFlagSet::Of("vcfhkqstu");
  return line.Byte(' ') && line.Word(&request->key) &&
         CompactMetaFlags(line, kPlain, false, request);
}

// ms KEY SIZE [FLAG...]
inline bool CompactMetaSet(CompactLine& line, MemcachedRequest* request) {
  request->command = MemcachedCommand::kMetaSet;
  constexpr MetaFlagSet kPlain = MetaFlagSet::Of("ckq");
  uint32_t size = 0;
  return line.Byte(' ') && line.Word(&request->key) && line.Byte(' ') && line.Number(&size) &&
         CompactMetaFlags(line, kPlain, true, request) && line.Data(size, &request->data);
}

// Parses one get, gets, set, mg or ms at the start of `input` when it is all there and of the usual
// form; returns its size. Returns 0 in every other case, with `request` in any state: the parser
// decides then. Whatever is accepted here it accepts with the same result, except that a value may
// be over the limit for items.
inline size_t ParseCompactMemcached(std::string_view input, MemcachedRequest* request) {
  constexpr size_t kShortest = 6;  // "mg k\r\n"
  if (input.size() < kShortest) return 0;
  request->Reset();
  CompactLine line(input.data() + 3, input.data() + input.size());
  bool taken = false;
  if (input[0] == 'g' && input[1] == 'e' && input[2] == 't') {
    taken = CompactGet(line, request);
  } else if (input[0] == 's' && input[1] == 'e' && input[2] == 't') {
    taken = CompactSet(line, request);
  } else if (input[0] == 'm' && input[2] == ' ') {
    line = CompactLine(input.data() + 2, input.data() + input.size());
    if (input[1] == 'g') taken = CompactMetaGet(line, request);
    if (input[1] == 's') taken = CompactMetaSet(line, request);
  }
  if (!taken || request->key.size() > kMemcachedKeyMax) return 0;
  return static_cast<size_t>(line.at() - input.data());
}

}  // namespace mikura::wire
