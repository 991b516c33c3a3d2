// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/rdb_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/numbers.h"
#include "engine/persistence/crc64.h"
#include "engine/persistence/lzf.h"
#include "engine/persistence/rdb_format.h"

namespace mikura::engine {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;
// The largest string Redis stores by default; more is not believed.
constexpr uint64_t kStringBytesMax = 512ull << 20;

constexpr std::string_view kTypeNames[] = {
    "string",
    "list",
    "set",
    "sorted set",
    "hash",
    "sorted set",
    "module value",
    "module value",
    "reserved type",
    "hash (zipmap)",
    "list (ziplist)",
    "set (intset)",
    "sorted set (ziplist)",
    "hash (ziplist)",
    "list (quicklist)",
    "stream",
    "hash (listpack)",
    "sorted set (listpack)",
    "list (quicklist 2)",
    "stream",
    "set (listpack)",
    "stream",
    "hash",
    "hash",
    "hash",
    "hash",
};

std::string_view TypeName(uint8_t type) {
  return type < std::size(kTypeNames) ? kTypeNames[type] : "unknown type";
}

template <typename Integer>
Integer LoadLittleEndian(const char* bytes) {
  Integer value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

}  // namespace

RdbReader::RdbReader(ByteSource& source, RdbHandler& handler, std::string_view initial)
    : source_(source), handler_(handler), buffer_(initial) {}
RdbReader::~RdbReader() = default;

std::string_view RdbReader::rest() const { return std::string_view(buffer_).substr(position_); }
uint64_t RdbReader::offset() const { return buffer_base_ + position_; }

Error RdbReader::Malformed(std::string_view what) const {
  return Error{fmt::format("RDB data, offset {}: {}", offset(), what)};
}

Status RdbReader::Read() {
  RETURN_IF_ERROR(ReadHeader());
  while (true) {
    ASSIGN_OR_RETURN(const bool ended, ReadItem());
    if (ended) return CheckEnd();
  }
}

Status RdbReader::ReadHeader() {
  RETURN_IF_ERROR(Fill(9));
  const std::string_view magic = std::string_view(buffer_).substr(position_, 9);
  const std::string_view digits = magic.substr(5);
  const bool digits_only = digits.find_first_not_of("0123456789") == std::string_view::npos;
  if (!magic.starts_with("REDIS") || !digits_only) {
    return Malformed("this does not begin as an RDB file");
  }
  version_ = static_cast<int>(*ParseUint64(digits));
  if (version_ < 1 || version_ > kRdbVersionReadMax) {
    return Malformed(fmt::format("RDB version {} is not known", version_));
  }
  position_ += 9;
  return Ok();
}

Result<bool> RdbReader::ReadItem() {
  ASSIGN_OR_RETURN(const uint8_t opcode, ReadByte());
  switch (static_cast<RdbOpcode>(opcode)) {
    case RdbOpcode::kEnd:
      return true;
    case RdbOpcode::kSelectDatabase: {
      ASSIGN_OR_RETURN(const uint64_t database, ReadLength());
      if (database > INT32_MAX) return Malformed("a database number out of range");
      database_ = static_cast<int>(database);
      return false;
    }
    case RdbOpcode::kResizeDatabase:
      RETURN_IF_ERROR(ReadLength());
      RETURN_IF_ERROR(ReadLength());
      return false;
    case RdbOpcode::kSlotInfo:
      for (int i = 0; i < 3; ++i) RETURN_IF_ERROR(ReadLength());
      return false;
    case RdbOpcode::kAux:
      RETURN_IF_ERROR(ReadAux());
      return false;
    case RdbOpcode::kExpireMillis: {
      ASSIGN_OR_RETURN(const uint64_t millis, ReadFixed(8, true));
      attributes_.deadline = static_cast<int64_t>(millis);
      return false;
    }
    case RdbOpcode::kExpireSeconds: {
      ASSIGN_OR_RETURN(const uint64_t seconds, ReadFixed(4, true));
      attributes_.deadline = static_cast<int64_t>(static_cast<int32_t>(seconds)) * 1000;
      return false;
    }
    case RdbOpcode::kFrequency:
      RETURN_IF_ERROR(ReadByte());
      return false;
    case RdbOpcode::kIdle:
      RETURN_IF_ERROR(ReadLength());
      return false;
    case RdbOpcode::kModuleAux:
      RETURN_IF_ERROR(SkipModuleAux());
      return false;
    case RdbOpcode::kFunction:
      return Malformed("it holds a function library; functions are not supported");
    case RdbOpcode::kFunctionOld:
      return Malformed("it holds a function library of a pre-release format");
  }
  RETURN_IF_ERROR(ReadEntry(opcode));
  return false;
}

Status RdbReader::ReadEntry(uint8_t type) {
  RETURN_IF_ERROR(ReadString(key_));
  if (type != kRdbTypeString) {
    return Malformed(
        fmt::format("key '{}' in database {} is a {} (RDB type {}); only strings are "
                    "supported",
                    key_, database_, TypeName(type), type));
  }
  RETURN_IF_ERROR(ReadString(value_));
  const store::Attributes attributes = std::exchange(attributes_, store::Attributes{});
  return handler_.OnEntry({database_, key_, value_, attributes});
}

Status RdbReader::ReadAux() {
  std::string name;
  RETURN_IF_ERROR(ReadString(name));
  RETURN_IF_ERROR(ReadString(value_));
  if (name != kRdbMemcachedAux) {
    handler_.OnAux(name, value_);
    return Ok();
  }
  if (value_.size() != kRdbMemcachedAuxBytes) return Malformed("a memcached block of wrong size");
  attributes_.has_memcached = true;
  attributes_.memcached_flags = LoadLittleEndian<uint32_t>(value_.data());
  attributes_.cas = LoadLittleEndian<uint64_t>(value_.data() + 4);
  attributes_.memcached_state = LoadLittleEndian<uint8_t>(value_.data() + 12);
  return Ok();
}

// Module data is a run of (kind, value) pairs that ends with kind 0, so it can be skipped unread.
Status RdbReader::SkipModuleAux() {
  RETURN_IF_ERROR(ReadLength());  // the module's number
  while (true) {
    ASSIGN_OR_RETURN(const uint64_t kind, ReadLength());
    switch (kind) {
      case 0:
        return Ok();
      case 1:
      case 2:
        RETURN_IF_ERROR(ReadLength());
        break;
      case 3:
        RETURN_IF_ERROR(ReadFixed(4, true));
        break;
      case 4:
        RETURN_IF_ERROR(ReadFixed(8, true));
        break;
      case 5:
        RETURN_IF_ERROR(ReadString(value_));
        break;
      default:
        return Malformed("module data of an unknown kind");
    }
  }
}

Status RdbReader::CheckEnd() {
  if (version_ < kRdbVersionWithChecksum) return Ok();
  const std::string_view covered(buffer_.data() + summed_, position_ - summed_);
  checksum_ = Crc64(checksum_, covered);
  summed_ = position_;
  RETURN_IF_ERROR(Fill(8));
  const auto stored = LoadLittleEndian<uint64_t>(buffer_.data() + position_);
  position_ += 8;
  // Zero: the writer had checksums off.
  if (stored != 0 && stored != checksum_) return Malformed("the checksum does not match");
  return Ok();
}

// Makes sure that `bytes` (at most kBufferBytes) lie behind position_.
Status RdbReader::Fill(size_t bytes) {
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

Result<uint8_t> RdbReader::ReadByte() {
  RETURN_IF_ERROR(Fill(1));
  return static_cast<uint8_t>(buffer_[position_++]);
}

Result<uint64_t> RdbReader::ReadFixed(int bytes, bool little_endian) {
  RETURN_IF_ERROR(Fill(static_cast<size_t>(bytes)));
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    const auto byte = static_cast<uint8_t>(buffer_[position_ + static_cast<size_t>(i)]);
    value |= uint64_t{byte} << (8 * (little_endian ? i : bytes - 1 - i));
  }
  position_ += static_cast<size_t>(bytes);
  return value;
}

Result<uint64_t> RdbReader::ReadLength() {
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

Status RdbReader::ReadString(std::string& out) {
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

Status RdbReader::ReadCompressed(std::string& out) {
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

Status RdbReader::ReadBytes(uint64_t size, std::string& out) {
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
