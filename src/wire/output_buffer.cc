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

void OutputBuffer::AppendShared(SharedBytes bytes) {
  DCHECK(takes_insertions_);
  inserted_bytes_ += bytes.view().size();
  insertions_.push_back({size(), std::move(bytes)});
}

void OutputBuffer::DropInsertions(size_t from) {
  while (!insertions_.empty() && insertions_.back().offset >= from) insertions_.pop_back();
  inserted_bytes_ = 0;
  for (const Insertion& insertion : insertions_) inserted_bytes_ += insertion.bytes.view().size();
}

void OutputBuffer::ShrinkTo(size_t capacity) {
  if (this->capacity() <= capacity) return;
  DCHECK(size() == 0);
  std::free(begin_);
  begin_ = end_ = limit_ = nullptr;
}

}  // namespace mikura::wire
