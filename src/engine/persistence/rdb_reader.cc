// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/rdb_reader.h"

#include <fmt/format.h>

#include <cstring>

#include "base/numbers.h"
#include "engine/persistence/rdb_format.h"
#include "engine/persistence/rdb_value_reader.h"

namespace mikura::engine {
namespace {

template <typename Integer>
Integer LoadLittleEndian(const char* bytes) {
  Integer value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

}  // namespace

RdbReader::RdbReader(ByteSource& source, RdbHandler& handler, collections::NodeMemory& memory,
                     std::string_view initial)
    : input_(source, initial), handler_(handler), memory_(memory) {}
RdbReader::~RdbReader() = default;

Status RdbReader::Read() {
  RETURN_IF_ERROR(ReadHeader());
  while (true) {
    ASSIGN_OR_RETURN(const bool ended, ReadItem());
    if (ended) return CheckEnd();
  }
}

Status RdbReader::ReadHeader() {
  std::string magic;
  RETURN_IF_ERROR(input_.ReadBytes(9, magic));
  const std::string_view digits = std::string_view(magic).substr(5);
  const bool digits_only = digits.find_first_not_of("0123456789") == std::string_view::npos;
  if (!magic.starts_with("REDIS") || !digits_only) {
    return Error{"RDB data, offset 0: this does not begin as an RDB file"};
  }
  version_ = static_cast<int>(*ParseUint64(digits));
  if (version_ < 1 || version_ > kRdbVersionReadMax) {
    return Error{fmt::format("RDB data, offset 0: RDB version {} is not known", version_)};
  }
  return Ok();
}

Result<bool> RdbReader::ReadItem() {
  ASSIGN_OR_RETURN(const uint8_t opcode, input_.ReadByte());
  switch (static_cast<RdbOpcode>(opcode)) {
    case RdbOpcode::kEnd:
      return true;
    case RdbOpcode::kSelectDatabase: {
      ASSIGN_OR_RETURN(const uint64_t database, input_.ReadLength());
      if (database > INT32_MAX) return input_.Malformed("a database number out of range");
      database_ = static_cast<int>(database);
      return false;
    }
    case RdbOpcode::kResizeDatabase:
      RETURN_IF_ERROR(input_.ReadLength());
      RETURN_IF_ERROR(input_.ReadLength());
      return false;
    case RdbOpcode::kSlotInfo:
      for (int i = 0; i < 3; ++i) RETURN_IF_ERROR(input_.ReadLength());
      return false;
    case RdbOpcode::kAux:
      RETURN_IF_ERROR(ReadAux());
      return false;
    case RdbOpcode::kExpireMillis: {
      ASSIGN_OR_RETURN(const uint64_t millis, input_.ReadFixed(8, true));
      attributes_.deadline = static_cast<int64_t>(millis);
      return false;
    }
    case RdbOpcode::kExpireSeconds: {
      ASSIGN_OR_RETURN(const uint64_t seconds, input_.ReadFixed(4, true));
      attributes_.deadline = static_cast<int64_t>(static_cast<int32_t>(seconds)) * 1000;
      return false;
    }
    case RdbOpcode::kFrequency:
      RETURN_IF_ERROR(input_.ReadByte());
      return false;
    case RdbOpcode::kIdle:
      RETURN_IF_ERROR(input_.ReadLength());
      return false;
    case RdbOpcode::kModuleAux:
      RETURN_IF_ERROR(SkipModuleAux());
      return false;
    case RdbOpcode::kFunction:
      RETURN_IF_ERROR(input_.ReadString(value_));
      RETURN_IF_ERROR(WithOffset(handler_.OnFunctionLibrary(value_)));
      return false;
    case RdbOpcode::kFunctionOld:
      return input_.Malformed("it holds a function library of a pre-release format");
  }
  RETURN_IF_ERROR(ReadEntry(opcode));
  return false;
}

// What the handler does not take.
Status RdbReader::WithOffset(Status status) const {
  return status.ok() ? std::move(status) : Status(input_.Malformed(status.error().message));
}

Status RdbReader::ReadEntry(uint8_t type) {
  RETURN_IF_ERROR(input_.ReadString(key_));
  RdbValue value;
  if (Status read = RdbValueReader(input_, memory_).Read(type, value); !read.ok()) {
    return Error{
        fmt::format("{} (key '{}' in database {})", read.error().message, key_, database_)};
  }
  const store::Attributes attributes = std::exchange(attributes_, store::Attributes{});
  return WithOffset(
      handler_.OnEntry({database_, key_, value.text, value.collection.get(), type, attributes}));
}

Status RdbReader::ReadAux() {
  std::string name;
  RETURN_IF_ERROR(input_.ReadString(name));
  RETURN_IF_ERROR(input_.ReadString(value_));
  if (name != kRdbMemcachedAux) {
    handler_.OnAux(name, value_);
    return Ok();
  }
  if (value_.size() != kRdbMemcachedAuxBytes)
    return input_.Malformed("a memcached block of wrong size");
  attributes_.has_memcached = true;
  attributes_.memcached_flags = LoadLittleEndian<uint32_t>(value_.data());
  attributes_.cas = LoadLittleEndian<uint64_t>(value_.data() + 4);
  attributes_.memcached_state = LoadLittleEndian<uint8_t>(value_.data() + 12);
  return Ok();
}

// Module data is a run of (kind, value) pairs that ends with kind 0, so it can be skipped unread.
Status RdbReader::SkipModuleAux() {
  RETURN_IF_ERROR(input_.ReadLength());  // the module's number
  while (true) {
    ASSIGN_OR_RETURN(const uint64_t kind, input_.ReadLength());
    switch (kind) {
      case 0:
        return Ok();
      case 1:
      case 2:
        RETURN_IF_ERROR(input_.ReadLength());
        break;
      case 3:
        RETURN_IF_ERROR(input_.ReadFixed(4, true));
        break;
      case 4:
        RETURN_IF_ERROR(input_.ReadFixed(8, true));
        break;
      case 5:
        RETURN_IF_ERROR(input_.ReadString(value_));
        break;
      default:
        return input_.Malformed("module data of an unknown kind");
    }
  }
}

Status RdbReader::CheckEnd() {
  if (version_ < kRdbVersionWithChecksum) return Ok();
  ASSIGN_OR_RETURN(const uint64_t checksum, input_.Checksum());
  ASSIGN_OR_RETURN(const uint64_t stored, input_.ReadFixed(8, true));
  // Zero: the writer had checksums off.
  if (stored != 0 && stored != checksum) return input_.Malformed("the checksum does not match");
  return Ok();
}

}  // namespace mikura::engine
