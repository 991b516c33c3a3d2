// SPDX-License-Identifier: Apache-2.0
// Cuts the bytes of an append log into records: single commands, and MULTI ... EXEC as one.
// Stricter than what clients may send: whatever a log is not written like is no command.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mikura::engine {

class AppendLogParser {
 public:
  using Words = std::span<const std::string_view>;
  enum class Outcome { kRecord, kIncomplete, kMalformed };

  // base_offset: where in the file the first byte lies.
  explicit AppendLogParser(uint64_t base_offset = 0) : record_offset_(base_offset) {}

  void Append(std::string_view bytes);
  // kRecord: `commands` are those of the next record, without MULTI and EXEC; views, valid until
  // the next call.
  Outcome Next(std::vector<Words>& commands);

  // Where the record begins that was returned last, or that is incomplete or malformed, behind the
  // last whole one.
  uint64_t record_offset() const { return record_offset_; }
  // After kMalformed: where, and what is wrong.
  uint64_t error_offset() const { return record_offset_ + parsed_ - start_; }
  std::string_view error() const { return error_; }
  // After kIncomplete: bytes of the record that has no end yet, and whether it is a transaction.
  size_t incomplete_bytes() const { return buffer_.size() - start_; }
  bool is_in_transaction() const { return in_transaction_; }

 private:
  enum class Step { kCommand, kComment, kIncomplete, kMalformed };

  void BeginRecord();
  // Parses what lies at parsed_ and moves behind it.
  Step ParseOne();
  Step ParseCommand(std::string_view input);
  // A line "<kind><number>\r\n" at `place`, which moves behind it.
  Step ParseCount(std::string_view input, char kind, size_t& place, uint64_t& count);
  // What MULTI and EXEC mean; false: they stand where they must not.
  bool TakeCommand(bool& ends_record);
  std::string_view WordAt(size_t index) const;
  void Finish(std::vector<Words>& commands);

  std::string buffer_;
  size_t start_ = 0;   // of the record that is being parsed
  size_t parsed_ = 0;  // behind its last whole command
  size_t needed_ = 0;  // parsing again is useless before so many bytes lie behind parsed_
  uint64_t record_offset_;
  bool is_finished_ = false;  // the record at start_ was returned
  bool in_transaction_ = false;
  std::string_view error_;
  // Of the record: places of all words, counted from start_ because the buffer moves, and how many
  // each command has.
  std::vector<std::pair<size_t, size_t>> places_;
  std::vector<size_t> counts_;
  std::vector<std::string_view> words_;
};

}  // namespace mikura::engine
