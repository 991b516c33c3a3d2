// SPDX-License-Identifier: Apache-2.0
// The memory of the change log: chunks that are filled by one thread, merged by the flusher, and
// then shared, without a copy, by the backlog and the sockets of replicas.
//
//   | bytes of records, growing up ->            <- record headers (16 bytes each), growing down |
//
// C1. One thread at a time writes a chunk; it publishes each record by raising `committed`.
// C2. What is below `committed` never changes again, so slices are read without a lock.
// C3. A chunk dies with its last reference: the chain holds one until the flusher has left it, each
//     slice holds one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace mikura::engine {

// Byte position in the log: the number of bytes before it. Equals the replication offset.
using Lsn = int64_t;

class LogChunk {
 public:
  struct Header {
    Lsn lsn;       // position of the record's first byte
    uint64_t end;  // where its bytes end in this chunk; they begin where those before end
  };

  // A chunk with room for one record of `record_bytes`, at least kBytes large; one reference.
  static LogChunk* Create(size_t record_bytes);
  static constexpr size_t kBytes = 64 * 1024;

  // ---- The writing thread.
  bool HasRoomFor(size_t record_bytes) const {
    return end_ + record_bytes + (written_ + 1) * sizeof(Header) <= capacity_;
  }
  // Copies the record behind the others. It is visible only after Publish().
  void Write(std::string_view prefix, std::string_view record);
  // Takes back the last record, which was not published.
  void Unwrite() {
    --written_;
    end_ = written_ == 0 ? 0 : header(written_ - 1).end;
  }
  // Gives the last written record its place and publishes it. A few instructions, no page fault.
  void Publish(Lsn lsn) {
    header(written_ - 1).lsn = lsn;
    committed_.store(written_, std::memory_order_release);
  }
  void set_next(LogChunk* next) { next_.store(next, std::memory_order_release); }

  // ---- The flusher.
  uint32_t committed() const { return committed_.load(std::memory_order_acquire); }
  LogChunk* next() const { return next_.load(std::memory_order_acquire); }
  Lsn RecordLsn(uint32_t index) const { return header(index).lsn; }
  std::string_view RecordBytes(uint32_t index) const {
    const uint64_t begin = index == 0 ? 0 : header(index - 1).end;
    return {bytes() + begin, header(index).end - begin};
  }

  void Retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Release();

 private:
  explicit LogChunk(size_t capacity) : capacity_(capacity) {}

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  Header& header(uint32_t index) {
    return *reinterpret_cast<Header*>(bytes() + capacity_ - (index + 1) * sizeof(Header));
  }
  const Header& header(uint32_t index) const { return const_cast<LogChunk*>(this)->header(index); }

  const size_t capacity_;
  uint64_t end_ = 0;      // of the bytes written; the writing thread's
  uint32_t written_ = 0;  // records; the writing thread's
  // Publishes records (bytes and headers) from the writing thread to the flusher.
  std::atomic<uint32_t> committed_{0};
  // Publishes the following chunk to the flusher; set when nothing more comes into this one.
  std::atomic<LogChunk*> next_{nullptr};
  // Counts owners; the last one frees, after all others have ceased to read.
  std::atomic<uint32_t> references_{1};
};

// Some bytes of the log, and a share of the memory they lie in.
class LogSlice {
 public:
  LogSlice(LogChunk* chunk, Lsn lsn, std::string_view bytes)
      : chunk_(chunk), lsn_(lsn), bytes_(bytes) {
    chunk_->Retain();
  }
  LogSlice(const LogSlice& other) : LogSlice(other.chunk_, other.lsn_, other.bytes_) {}
  LogSlice(LogSlice&& other) noexcept
      : chunk_(std::exchange(other.chunk_, nullptr)), lsn_(other.lsn_), bytes_(other.bytes_) {}
  LogSlice& operator=(LogSlice other) noexcept {
    std::swap(chunk_, other.chunk_);
    lsn_ = other.lsn_;
    bytes_ = other.bytes_;
    return *this;
  }
  ~LogSlice() {
    if (chunk_ != nullptr) chunk_->Release();
  }

  Lsn begin() const { return lsn_; }
  Lsn end() const { return lsn_ + static_cast<Lsn>(bytes_.size()); }
  std::string_view bytes() const { return bytes_; }

  // Takes `bytes` in when they follow in memory and in the log; false when they do not.
  bool Extend(const LogChunk* chunk, Lsn lsn, std::string_view bytes) {
    if (chunk != chunk_ || lsn != end() || bytes.data() != bytes_.data() + bytes_.size()) {
      return false;
    }
    bytes_ = {bytes_.data(), bytes_.size() + bytes.size()};
    return true;
  }
  bool Extend(const LogSlice& next) { return Extend(next.chunk_, next.lsn_, next.bytes_); }
  // Drops everything before `lsn`, which lies inside.
  void TrimBefore(Lsn lsn) {
    bytes_.remove_prefix(static_cast<size_t>(lsn - lsn_));
    lsn_ = lsn;
  }
  // Drops everything from `size` bytes on.
  void TrimTo(size_t size) { bytes_ = bytes_.substr(0, size); }

 private:
  LogChunk* chunk_;
  Lsn lsn_;
  std::string_view bytes_;
};

}  // namespace mikura::engine
