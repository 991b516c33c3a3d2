// SPDX-License-Identifier: Apache-2.0
// A growing run of bytes that replies are written to; one per event loop, reused for every batch.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/check.h"

namespace mikura::wire {

class OutputBuffer {
 public:
  OutputBuffer() = default;
  ~OutputBuffer() { std::free(begin_); }
  OutputBuffer(const OutputBuffer&) = delete;
  OutputBuffer& operator=(const OutputBuffer&) = delete;
  OutputBuffer(OutputBuffer&& other) noexcept
      : begin_(other.begin_), end_(other.end_), limit_(other.limit_) {
    other.begin_ = other.end_ = other.limit_ = nullptr;
  }

  size_t size() const { return static_cast<size_t>(end_ - begin_); }
  size_t capacity() const { return static_cast<size_t>(limit_ - begin_); }
  const char* data() const { return begin_; }
  std::string_view view() const { return {begin_, size()}; }
  void Clear() { end_ = begin_; }
  // Forgets everything after the first `size` bytes.
  void Truncate(size_t size) {
    DCHECK(size <= this->size());
    end_ = begin_ + size;
  }

  // Room for `bytes` more; write there, then Advance(). Cost: amortised O(1).
  char* Reserve(size_t bytes) {
    if (static_cast<size_t>(limit_ - end_) < bytes) Grow(bytes);
    return end_;
  }
  void Advance(size_t bytes) { end_ += bytes; }

  void Append(std::string_view bytes) {
    char* out = Reserve(bytes.size());
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  void Append(char byte) {
    *Reserve(1) = byte;
    ++end_;
  }
  // Gives memory above `capacity` back; the content must have been cleared.
  void ShrinkTo(size_t capacity);

 private:
  void Grow(size_t bytes);

  char* begin_ = nullptr;
  char* end_ = nullptr;
  char* limit_ = nullptr;
};

}  // namespace mikura::wire
