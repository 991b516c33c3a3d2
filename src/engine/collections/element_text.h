// SPDX-License-Identifier: Apache-2.0
// The bytes of one element while it is put together; a small one without an allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/collections/packed_elements.h"

namespace mikura::engine::collections {

class ElementText {
 public:
  // bytes_max: no more is put.
  explicit ElementText(size_t bytes_max) {
    if (bytes_max > sizeof small_) large_.resize(bytes_max);
    begin_ = large_.empty() ? small_ : large_.data();
    end_ = begin_;
  }
  ElementText(const ElementText&) = delete;
  ElementText& operator=(const ElementText&) = delete;

  void Put(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(end_, bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  template <typename Number>
  void PutBytesOf(const Number& number) {
    std::memcpy(end_, &number, sizeof number);
    end_ += sizeof number;
  }
  void PutLength(uint64_t length) { end_ = PutVarint(end_, length); }

  std::string_view view() const { return {begin_, static_cast<size_t>(end_ - begin_)}; }

 private:
  char* begin_;
  char* end_;
  std::string large_;
  char small_[256];
};

}  // namespace mikura::engine::collections
