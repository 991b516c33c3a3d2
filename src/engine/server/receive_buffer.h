// SPDX-License-Identifier: Apache-2.0
// Received bytes of a request that is not whole yet. Unlike a string it does not write the room
// that the next receive fills, and grows by realloc, which moves pages instead of bytes.
#pragma once

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "engine/server/client_memory.h"

namespace mikura::engine {

class ReceiveBuffer {
 public:
  explicit ReceiveBuffer(ClientMemory& memory) : counted_(memory) {}
  ~ReceiveBuffer() { std::free(bytes_); }
  ReceiveBuffer(const ReceiveBuffer&) = delete;
  ReceiveBuffer& operator=(const ReceiveBuffer&) = delete;

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  std::string_view view() const { return {bytes_, size_}; }

  // Room for `bytes` more behind the content; write there, then Advance(). When it has to grow, it
  // grows to `capacity` if that is more.
  char* Reserve(size_t bytes, size_t capacity = 0) {
    if (capacity_ - size_ < bytes) Grow(capacity > size_ + bytes ? capacity : size_ + bytes);
    return bytes_ + size_;
  }
  void Advance(size_t bytes) { size_ += bytes; }
  void Append(std::string_view bytes) {
    std::memcpy(Reserve(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  // Cost: all bytes move.
  void Prepend(std::string_view bytes) {
    Reserve(bytes.size());
    std::memmove(bytes_ + bytes.size(), bytes_, size_);
    std::memcpy(bytes_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  // Gives all memory back when nothing is left.
  void RemovePrefix(size_t bytes) {
    DCHECK(bytes <= size_);
    size_ -= bytes;
    if (size_ > 0) {
      std::memmove(bytes_, bytes_ + bytes, size_);
      return;
    }
    std::free(bytes_);
    bytes_ = nullptr;
    capacity_ = 0;
    counted_.Set(0);
  }

 private:
  void Grow(size_t capacity) {
    bytes_ = static_cast<char*>(std::realloc(bytes_, capacity));
    CHECK(bytes_ != nullptr);
    capacity_ = capacity;
    counted_.Set(capacity);
  }

  char* bytes_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  CountedBytes counted_;
};

}  // namespace mikura::engine
