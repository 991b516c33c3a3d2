// SPDX-License-Identifier: Apache-2.0
// Cuts the stream of a primary into records: single commands, and MULTI ... EXEC as one.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/replication/record_executor.h"

namespace mikura::engine {

class RecordReader {
 public:
  struct Record {
    // Without MULTI and EXEC; none for an empty line. Views, valid until the next call.
    std::span<const CommandWords> commands;
    std::string_view bytes;
  };

  void Append(std::string_view bytes);
  // True when `record` was filled with the next whole record. Errors: this is no command.
  Result<bool> Next(Record& record);

  // Bytes behind the last record that Next() returned.
  size_t unread_bytes() const { return buffer_.size() - parsed_; }

 private:
  void Finish(Record& record);

  std::string buffer_;
  size_t start_ = 0;       // of the record that is being parsed
  size_t parsed_ = 0;      // behind its last whole command
  size_t needed_ = 0;      // parsing again is useless before so many bytes lie behind parsed_
  bool finished_ = false;  // the record at start_ was returned
  bool in_transaction_ = false;
  // Of the record: places of all words, counted from start_, and how many each command has. Places,
  // because the buffer moves when it grows.
  std::vector<std::pair<size_t, size_t>> places_;
  std::vector<size_t> counts_;
  std::vector<std::string_view> words_;
  std::vector<CommandWords> commands_;
};

}  // namespace mikura::engine
