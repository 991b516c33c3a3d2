// SPDX-License-Identifier: Apache-2.0
// A growing run of bytes that replies are written to; one per event loop, reused for every batch.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "wire/shared_bytes.h"

namespace mikura::wire {

class OutputBuffer {
 public:
  // Bytes that belong at `offset` of the buffer without being in it.
  struct Insertion {
    size_t offset;
    SharedBytes bytes;
  };

  OutputBuffer() = default;
  ~OutputBuffer() { std::free(begin_); }
  OutputBuffer(const OutputBuffer&) = delete;
  OutputBuffer& operator=(const OutputBuffer&) = delete;
  OutputBuffer(OutputBuffer&& other) noexcept
      : begin_(other.begin_),
        end_(other.end_),
        limit_(other.limit_),
        insertions_(std::move(other.insertions_)),
        inserted_bytes_(std::exchange(other.inserted_bytes_, 0)) {
    other.begin_ = other.end_ = other.limit_ = nullptr;
  }

  // Of the copied bytes; offsets of insertions count in them.
  size_t size() const { return static_cast<size_t>(end_ - begin_); }
  size_t size_with_insertions() const { return size() + inserted_bytes_; }
  size_t capacity() const { return static_cast<size_t>(limit_ - begin_); }
  const char* data() const { return begin_; }
  std::string_view view() const { return {begin_, size()}; }
  void Clear() {
    end_ = begin_;
    if (!insertions_.empty()) [[unlikely]]
      DropInsertions(0);
  }
  // Forgets everything after the first `size` bytes.
  void Truncate(size_t size) {
    DCHECK(size <= this->size());
    end_ = begin_ + size;
    if (!insertions_.empty()) [[unlikely]]
      DropInsertions(size);
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
  // Whether the reader of this buffer looks at insertions. False: AppendShared must not be called.
  bool takes_insertions() const { return takes_insertions_; }
  void set_takes_insertions(bool value) { takes_insertions_ = value; }
  // Appends without copying; something must be appended behind it before the next Truncate().
  void AppendShared(SharedBytes bytes);
  // In ascending order of their offsets.
  std::vector<Insertion>& insertions() { return insertions_; }

  void ForgetInsertions() { DropInsertions(0); }

  // Gives memory above `capacity` back; the content must have been cleared.
  void ShrinkTo(size_t capacity);

 private:
  void Grow(size_t bytes);
  void DropInsertions(size_t from);

  char* begin_ = nullptr;
  char* end_ = nullptr;
  char* limit_ = nullptr;
  std::vector<Insertion> insertions_;
  size_t inserted_bytes_ = 0;
  bool takes_insertions_ = false;
};

}  // namespace mikura::wire
