// SPDX-License-Identifier: Apache-2.0
// Reads an RDB file or stream. The input is hostile: lengths are not believed before that many
// bytes have arrived, and whatever is wrong becomes an error with the offset, never a crash.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/store/entry.h"

namespace mikura::engine {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Up to `size` bytes, at least one; 0 at the end of the input. May block.
  virtual Result<size_t> Read(char* out, size_t size) = 0;
};

// Views are valid during the call only.
struct RdbEntry {
  int database = 0;
  std::string_view key;
  std::string_view value;
  store::Attributes attributes;
};

class RdbHandler {
 public:
  virtual ~RdbHandler() = default;
  virtual Status OnEntry(const RdbEntry& entry) = 0;
  virtual void OnAux(std::string_view name, std::string_view value) = 0;
};

class RdbReader {
 public:
  // `initial`: bytes of the input that were read already.
  RdbReader(ByteSource& source, RdbHandler& handler, std::string_view initial = {});
  ~RdbReader();

  // Reads from the magic number to the checksum. Errors name the offset and what was found; the
  // entries before have been delivered. Types other than strings are an error that names the type.
  Status Read();

  // Bytes that were read behind the end of the RDB data.
  std::string_view rest() const;
  // Bytes of the RDB data that were consumed.
  uint64_t offset() const;

 private:
  Status ReadHeader();
  // Handles one opcode or entry; true at the end.
  Result<bool> ReadItem();
  Status ReadEntry(uint8_t type);
  Status ReadAux();
  Status SkipModuleAux();
  Status CheckEnd();

  Status Fill(size_t bytes);
  Result<uint8_t> ReadByte();
  Result<uint64_t> ReadFixed(int bytes, bool little_endian);
  Result<uint64_t> ReadLength();
  Status ReadString(std::string& out);
  Status ReadCompressed(std::string& out);
  Status ReadBytes(uint64_t size, std::string& out);
  Error Malformed(std::string_view what) const;

  ByteSource& source_;
  RdbHandler& handler_;
  std::string buffer_;
  size_t position_ = 0;       // in buffer_: what was consumed
  size_t summed_ = 0;         // in buffer_: what the checksum covers
  uint64_t buffer_base_ = 0;  // offset of buffer_[0] in the input
  uint64_t checksum_ = 0;
  int version_ = 0;
  int database_ = 0;
  store::Attributes attributes_;  // of the entry that comes next
  std::string key_;
  std::string value_;
  std::string compressed_;
};

}  // namespace mikura::engine
