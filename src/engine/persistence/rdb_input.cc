// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/rdb_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "base/numbers.h"
#include "engine/persistence/crc64.h"
#include "engine/persistence/lzf.h"
#include "engine/persistence/rdb_format.h"

namespace mikura::engine {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;
// The largest string Redis stores by default; more is not believed.
constexpr uint64_t kStringBytesMax = 512ull << 20;

}  // namespace

Error RdbInput::Malformed(std::string_view what) const {
  return Error{fmt::format("RDB data, offset {}: {}", offset(), what)};
}

Result<uint64_t> RdbInput::Checksum() {
  checksum_ = Crc64(checksum_, {buffer_.data() + summed_, position_ - summed_});
  summed_ = position_;
  return checksum_;
}

Result<double> RdbInput::ReadDouble() {
  ASSIGN_OR_RETURN(const uint64_t bits, ReadFixed(8, true));
  return std::bit_cast<double>(bits);
}

// "+inf", "-inf" and "nan" have lengths of their own; others are text.
Result<double> RdbInput::ReadTextDouble() {
  ASSIGN_OR_RETURN(const uint8_t length, ReadByte());
  if (length == 255) return -std::numeric_limits<double>::infinity();
  if (length == 254) return std::numeric_limits<double>::infinity();
  if (length == 253) return std::numeric_limits<double>::quiet_NaN();
  std::string text;
  RETURN_IF_ERROR(ReadBytes(length, text));
  const std::optional<double> value = ParseDouble(text);
  if (!value) return Malformed("a number that cannot be read");
  return *value;
}

// Makes sure that `bytes` (at most kBufferBytes) lie behind position_.
Status RdbInput::Fill(size_t bytes) {
  if (buffer_.size() - position_ >= bytes) return Ok();
  checksum_ = Crc64(checksum_, {buffer_.data() + summed_, position_ - summed_});
  buffer_.erase(0, position_);
  buffer_base_ += position_;
  position_ = 0;
  summed_ = 0;
  while (buffer_.size() < bytes) {
    const size_t have = buffer_.size();
    buffer_.resize(std::max(kBufferBytes, bytes));
    auto got = source_.Read(buffer_.data() + have, buffer_.size() - have);
    buffer_.resize(have + (got.ok() ? got.value() : 0));
    if (!got.ok()) return std::move(got).error();
    if (got.value() == 0) return Malformed("the data ends too early");
  }
  return Ok();
}

Result<uint8_t> RdbInput::ReadByte() {
  RETURN_IF_ERROR(Fill(1));
  return static_cast<uint8_t>(buffer_[position_++]);
}

Result<uint64_t> RdbInput::ReadFixed(int bytes, bool little_endian) {
  RETURN_IF_ERROR(Fill(static_cast<size_t>(bytes)));
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    const auto byte = static_cast<uint8_t>(buffer_[position_ + static_cast<size_t>(i)]);
    value |= uint64_t{byte} << (8 * (little_endian ? i : bytes - 1 - i));
  }
  position_ += static_cast<size_t>(bytes);
  return value;
}

Result<uint64_t> RdbInput::ReadLength() {
  ASSIGN_OR_RETURN(const uint8_t first, ReadByte());
  switch (first >> 6) {
    case kRdbLength6:
      return static_cast<uint64_t>(first & 63);
    case kRdbLength14: {
      ASSIGN_OR_RETURN(const uint8_t second, ReadByte());
      return (static_cast<uint64_t>(first & 63) << 8) | second;
    }
    case kRdbLengthLong:
      if (first == kRdbLength32Byte) return ReadFixed(4, false);
      if (first == kRdbLength64Byte) return ReadFixed(8, false);
      break;
    default:
      break;
  }
  return Malformed("a length that cannot be read");
}

Status RdbInput::ReadString(std::string& out) {
  RETURN_IF_ERROR(Fill(1));
  const auto first = static_cast<uint8_t>(buffer_[position_]);
  if (first >> 6 != kRdbEncoded) {
    ASSIGN_OR_RETURN(const uint64_t size, ReadLength());
    return ReadBytes(size, out);
  }
  ++position_;
  const uint8_t encoding = first & 63;
  if (encoding == kRdbLzf) return ReadCompressed(out);
  if (encoding > kRdbInt32) return Malformed("a string in an unknown encoding");
  const int bytes = 1 << encoding;
  ASSIGN_OR_RETURN(const uint64_t raw, ReadFixed(bytes, true));
  const int unused = 64 - 8 * bytes;
  out = std::to_string(static_cast<int64_t>(raw << unused) >> unused);
  return Ok();
}

Status RdbInput::ReadCompressed(std::string& out) {
  ASSIGN_OR_RETURN(const uint64_t compressed_size, ReadLength());
  ASSIGN_OR_RETURN(const uint64_t size, ReadLength());
  RETURN_IF_ERROR(ReadBytes(compressed_size, compressed_));
  // LZF expands three bytes to at most 264, so the size is checked before it is allocated.
  if (size > kStringBytesMax || size / 88 > compressed_size) {
    return Malformed("a compressed string of impossible size");
  }
  out.resize(size);
  if (!ExpandLzf(compressed_, out)) return Malformed("a compressed string that does not expand");
  return Ok();
}

Status RdbInput::ReadBytes(uint64_t size, std::string& out) {
  if (size > kStringBytesMax) return Malformed(fmt::format("a string of {} bytes", size));
  out.clear();
  while (out.size() < size) {
    RETURN_IF_ERROR(Fill(1));
    const size_t piece = std::min<uint64_t>(size - out.size(), buffer_.size() - position_);
    out.append(buffer_, position_, piece);
    position_ += piece;
  }
  return Ok();
}

}  // namespace mikura::engine
