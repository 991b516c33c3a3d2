// SPDX-License-Identifier: Apache-2.0
#include "engine/replication/record_reader.h"

#include <memory>

#include "base/numbers.h"
#include "wire/resp_parser.h"

namespace mikura::engine {
namespace {

constexpr size_t kCompactBytes = 256 * 1024;

}  // namespace

void RecordReader::Append(std::string_view bytes) {
  if (finished_ && parsed_ == buffer_.size()) {
    buffer_.clear();
    start_ = parsed_ = 0;
    finished_ = false;
  } else if (start_ >= kCompactBytes) {
    buffer_.erase(0, start_);
    parsed_ -= start_;
    start_ = 0;
  }
  buffer_.append(bytes);
}

Result<bool> RecordReader::Next(Record& record) {
  if (finished_) start_ = parsed_;
  if (finished_ || parsed_ == start_) {
    places_.clear();
    counts_.clear();
    in_transaction_ = false;
    finished_ = false;
  }
  std::vector<std::unique_ptr<std::string>> storage;
  while (buffer_.size() > parsed_ && buffer_.size() - parsed_ >= needed_) {
    words_.clear();
    const std::string_view input = std::string_view(buffer_).substr(parsed_);
    const wire::RespResult result = wire::ParseResp(input, {}, words_, storage);
    if (result.status == wire::RespStatus::kError) return Error{result.error};
    if (result.status == wire::RespStatus::kIncomplete) {
      needed_ = result.bytes_needed;
      return false;
    }
    needed_ = 0;
    const size_t origin = parsed_;
    parsed_ += result.consumed;
    if (result.status == wire::RespStatus::kRequest) {
      if (input[0] != '*') return Error{"text that is no command"};
      if (EqualsIgnoreCase(words_[0], "MULTI")) {
        in_transaction_ = true;
      } else if (EqualsIgnoreCase(words_[0], "EXEC")) {
        in_transaction_ = false;
      } else {
        for (const std::string_view word : words_) {
          const auto offset = static_cast<size_t>(word.data() - input.data());
          places_.emplace_back(origin + offset - start_, word.size());
        }
        counts_.push_back(words_.size());
      }
    }
    if (!in_transaction_) {
      Finish(record);
      return true;
    }
  }
  return false;
}

void RecordReader::Finish(Record& record) {
  finished_ = true;
  const char* const base = buffer_.data() + start_;
  words_.clear();
  for (const auto& [offset, size] : places_) words_.emplace_back(base + offset, size);
  commands_.clear();
  size_t first = 0;
  for (const size_t count : counts_) {
    commands_.push_back(CommandWords(words_).subspan(first, count));
    first += count;
  }
  record.commands = commands_;
  record.bytes = std::string_view(base, parsed_ - start_);
}

}  // namespace mikura::engine
