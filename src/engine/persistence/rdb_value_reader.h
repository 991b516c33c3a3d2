// SPDX-License-Identifier: Apache-2.0
// Reads the value of one key in RDB form: all types and encodings that Redis up to 7.4 and Valkey
// up to 8 write. Whatever is wrong is an error; nothing is half made.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "engine/collections/collection.h"
#include "engine/collections/hash_value.h"
#include "engine/collections/tree_node.h"
#include "engine/persistence/rdb_input.h"

namespace mikura::engine {

// A string, or a collection.
struct RdbValue {
  std::string text;
  collections::CollectionPtr collection;  // null: a string
};

// "list (quicklist)" ...
std::string_view RdbTypeName(uint8_t type);

class RdbValueReader {
 public:
  RdbValueReader(RdbInput& input, collections::NodeMemory& memory)
      : input_(input), memory_(memory) {}

  // The value that follows its type (and key).
  Status Read(uint8_t type, RdbValue& out);

 private:
  Status ReadList(uint8_t type, RdbValue& out);
  Status ReadSet(uint8_t type, RdbValue& out);
  Status ReadSortedSet(uint8_t type, RdbValue& out);
  Status ReadHash(uint8_t type, RdbValue& out);
  Status ReadFieldsWithDeadlines(uint8_t type, collections::HashValue& hash);
  Status ReadTriples(collections::HashValue& hash);
  Status AddField(collections::HashValue& hash, std::string_view field, std::string_view value,
                  UnixMillis deadline = collections::kNoFieldDeadline);
  Status ReadStream(uint8_t type, RdbValue& out);
  Status Finish(std::unique_ptr<collections::Collection> value, bool is_empty, RdbValue& out);

  RdbInput& input_;
  collections::NodeMemory& memory_;
  std::string first_;
  std::string second_;
};

}  // namespace mikura::engine
