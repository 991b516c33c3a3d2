// SPDX-License-Identifier: Apache-2.0
#include "wire/output_buffer.h"

#include <algorithm>

namespace mikura::wire {

void OutputBuffer::Grow(size_t bytes) {
  const size_t used = size();
  const size_t wanted = std::max({used + bytes, capacity() * 2, size_t{4096}});
  begin_ = static_cast<char*>(std::realloc(begin_, wanted));
  CHECK(begin_ != nullptr);
  end_ = begin_ + used;
  limit_ = begin_ + wanted;
}

void OutputBuffer::ShrinkTo(size_t capacity) {
  if (this->capacity() <= capacity) return;
  DCHECK(size() == 0);
  std::free(begin_);
  begin_ = end_ = limit_ = nullptr;
}

}  // namespace mikura::wire
