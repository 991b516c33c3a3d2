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
#include "engine/collections/collection.h"
#include "engine/collections/tree_node.h"
#include "engine/persistence/rdb_input.h"
#include "engine/store/entry.h"

namespace mikura::engine {

// Views are valid during the call only.
struct RdbEntry {
  int database = 0;
  std::string_view key;
  std::string_view value;                         // of a string
  collections::Collection* collection = nullptr;  // otherwise; whoever keeps it acquires it
  uint8_t type = 0;                               // as the file has it: rdb_format.h
  store::Attributes attributes;
};

class RdbHandler {
 public:
  virtual ~RdbHandler() = default;
  virtual Status OnEntry(const RdbEntry& entry) = 0;
  virtual void OnAux(std::string_view name, std::string_view value) = 0;
  // The source text of a library of functions.
  virtual Status OnFunctionLibrary(std::string_view) {
    return Error{"a library of functions, which is not wanted here"};
  }
};

class RdbReader {
 public:
  // memory: of collections. `initial`: bytes of the input that were read already.
  RdbReader(ByteSource& source, RdbHandler& handler, collections::NodeMemory& memory,
            std::string_view initial = {});
  ~RdbReader();

  // Reads from the magic number to the checksum. Errors name the offset and what was found; the
  // entries before have been delivered. Types that are not known are an error that names the type.
  Status Read();

  // Bytes that were read behind the end of the RDB data.
  std::string_view rest() const { return input_.rest(); }
  // Bytes of the RDB data that were consumed.
  uint64_t offset() const { return input_.offset(); }

 private:
  Status ReadHeader();
  // Handles one opcode or entry; true at the end.
  Result<bool> ReadItem();
  Status ReadEntry(uint8_t type);
  Status WithOffset(Status status) const;
  Status ReadAux();
  Status SkipModuleAux();
  Status CheckEnd();

  RdbInput input_;
  RdbHandler& handler_;
  collections::NodeMemory& memory_;
  int version_ = 0;
  int database_ = 0;
  store::Attributes attributes_;  // of the entry that comes next
  std::string key_;
  std::string value_;
};

}  // namespace mikura::engine
