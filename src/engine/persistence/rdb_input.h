// SPDX-License-Identifier: Apache-2.0
// The bytes of RDB data and the forms of numbers and strings in them. The input is hostile: lengths
// are not believed before that many bytes have arrived.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mikura::engine {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Up to `size` bytes, at least one; 0 at the end of the input. May block.
  virtual Result<size_t> Read(char* out, size_t size) = 0;
};

// A text in memory, which outlives it.
class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string_view text) : left_(text) {}
  Result<size_t> Read(char* out, size_t size) override {
    const size_t count = left_.copy(out, size);
    left_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view left_;
};

class RdbInput {
 public:
  // `initial`: bytes of the input that were read already.
  explicit RdbInput(ByteSource& source, std::string_view initial = {})
      : source_(source), buffer_(initial) {}

  // Bytes that were read and not consumed; bytes that were consumed.
  std::string_view rest() const { return std::string_view(buffer_).substr(position_); }
  uint64_t offset() const { return buffer_base_ + position_; }
  // Of all that was consumed so far.
  Result<uint64_t> Checksum();

  // An error that names the offset.
  Error Malformed(std::string_view what) const;

  Result<uint8_t> ReadByte();
  // An integer of 1 to 8 bytes.
  Result<uint64_t> ReadFixed(int bytes, bool little_endian);
  Result<uint64_t> ReadLength();
  Result<double> ReadDouble();
  Result<double> ReadTextDouble();  // of old versions
  Status ReadString(std::string& out);
  Status ReadBytes(uint64_t size, std::string& out);

 private:
  Status Fill(size_t bytes);
  Status ReadCompressed(std::string& out);

  ByteSource& source_;
  std::string buffer_;
  size_t position_ = 0;       // in buffer_: what was consumed
  size_t summed_ = 0;         // in buffer_: what the checksum covers
  uint64_t buffer_base_ = 0;  // offset of buffer_[0] in the input
  uint64_t checksum_ = 0;
  std::string compressed_;
};

}  // namespace mikura::engine
