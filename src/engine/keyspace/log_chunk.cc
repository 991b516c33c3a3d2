// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/log_chunk.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "base/check.h"

namespace mikura::engine {

LogChunk* LogChunk::Create(size_t record_bytes) {
  size_t capacity = kBytes - sizeof(LogChunk);
  const size_t needed = record_bytes + sizeof(Header);
  if (needed > capacity) capacity = (needed + 15) & ~size_t{15};
  void* memory = std::malloc(sizeof(LogChunk) + capacity);
  CHECK(memory != nullptr);
  return new (memory) LogChunk(capacity);
}

void LogChunk::Write(std::string_view prefix, std::string_view record) {
  DCHECK(HasRoomFor(prefix.size() + record.size()));
  std::memcpy(bytes() + end_, prefix.data(), prefix.size());
  end_ += prefix.size();
  std::memcpy(bytes() + end_, record.data(), record.size());
  end_ += record.size();
  // Touches the header's page here, so that Publish() cannot fault.
  header(written_) = {-1, end_};
  ++written_;
}

void LogChunk::Release() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  this->~LogChunk();
  std::free(this);
}

}  // namespace mikura::engine
