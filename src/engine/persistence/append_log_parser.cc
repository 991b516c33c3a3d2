// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/append_log_parser.h"

#include <algorithm>

#include "base/numbers.h"

namespace mikura::engine {
namespace {

constexpr size_t kCompactBytes = 1 << 20;
constexpr size_t kNumberBytesMax = 20;
constexpr uint64_t kWordsMax = 1 << 30;
constexpr uint64_t kWordBytesMax = 4ULL << 30;

}  // namespace

void AppendLogParser::Append(std::string_view bytes) {
  if (start_ >= kCompactBytes) {
    buffer_.erase(0, start_);
    parsed_ -= start_;
    start_ = 0;
  }
  buffer_.append(bytes);
}

void AppendLogParser::BeginRecord() {
  record_offset_ += parsed_ - start_;
  start_ = parsed_;
  places_.clear();
  counts_.clear();
  in_transaction_ = false;
  is_finished_ = false;
}

AppendLogParser::Outcome AppendLogParser::Next(std::vector<Words>& commands) {
  if (is_finished_) BeginRecord();
  while (buffer_.size() > parsed_ && buffer_.size() - parsed_ >= needed_) {
    switch (ParseOne()) {
      case Step::kIncomplete:
        return Outcome::kIncomplete;
      case Step::kMalformed:
        return Outcome::kMalformed;
      case Step::kComment:
        if (!in_transaction_) BeginRecord();
        break;
      case Step::kCommand: {
        bool ends_record = false;
        if (!TakeCommand(ends_record)) return Outcome::kMalformed;
        if (!ends_record) break;
        Finish(commands);
        return Outcome::kRecord;
      }
    }
  }
  return Outcome::kIncomplete;
}

AppendLogParser::Step AppendLogParser::ParseOne() {
  const std::string_view input = std::string_view(buffer_).substr(parsed_);
  needed_ = 0;
  if (input[0] != '#') return ParseCommand(input);
  // A note of the time, or of anything else.
  const size_t end = input.find('\n');
  if (end == std::string_view::npos) return Step::kIncomplete;
  parsed_ += end + 1;
  return Step::kComment;
}

AppendLogParser::Step AppendLogParser::ParseCount(std::string_view input, char kind, size_t& place,
                                                  uint64_t& count) {
  const std::string_view line = input.substr(place, kNumberBytesMax + 3);
  if (line.empty()) return Step::kIncomplete;
  if (line[0] != kind) {
    error_ = kind == '*' ? "no command begins here" : "a word of a command does not begin with '$'";
    return Step::kMalformed;
  }
  const size_t end = line.find('\r');
  const std::string_view digits = line.substr(1, std::min(end, line.size()) - 1);
  const bool are_digits =
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  const auto number = ParseUint64(digits);
  error_ = "a count is not a number, or far too large";
  if (!are_digits || digits.size() > kNumberBytesMax) return Step::kMalformed;
  if (end == std::string_view::npos) return Step::kIncomplete;
  if (!number) return Step::kMalformed;
  if (*number > (kind == '*' ? kWordsMax : kWordBytesMax)) return Step::kMalformed;
  if (end + 1 == line.size()) return Step::kIncomplete;
  if (line[end + 1] != '\n') return Step::kMalformed;
  count = *number;
  place += end + 2;
  return Step::kCommand;
}

AppendLogParser::Step AppendLogParser::ParseCommand(std::string_view input) {
  const size_t places_before = places_.size();
  size_t place = 0;
  uint64_t words = 0;
  Step step = ParseCount(input, '*', place, words);
  if (step == Step::kCommand && words == 0) {
    error_ = "a command without words";
    step = Step::kMalformed;
  }
  for (uint64_t i = 0; i < words && step == Step::kCommand; ++i) {
    uint64_t size = 0;
    step = ParseCount(input, '$', place, size);
    if (step != Step::kCommand) break;
    if (input.size() - place < size + 2) {
      needed_ = place + size + 2;
      step = Step::kIncomplete;
      break;
    }
    if (input[place + size] != '\r' || input[place + size + 1] != '\n') {
      error_ = "a word of a command is not as long as it says";
      step = Step::kMalformed;
      break;
    }
    places_.emplace_back(parsed_ - start_ + place, size);
    place += size + 2;
  }
  if (step != Step::kCommand) {
    places_.resize(places_before);
    return step;
  }
  parsed_ += place;
  counts_.push_back(words);
  return step;
}

std::string_view AppendLogParser::WordAt(size_t index) const {
  return std::string_view(buffer_).substr(start_ + places_[index].first, places_[index].second);
}

bool AppendLogParser::TakeCommand(bool& ends_record) {
  const std::string_view name = WordAt(places_.size() - counts_.back());
  const bool begins = EqualsIgnoreCase(name, "MULTI");
  const bool ends = EqualsIgnoreCase(name, "EXEC");
  if (begins || ends) {
    places_.resize(places_.size() - counts_.back());
    counts_.pop_back();
    if (begins == in_transaction_) {
      error_ = begins ? "MULTI inside of MULTI" : "EXEC without MULTI";
      return false;
    }
    in_transaction_ = begins;
  }
  ends_record = !in_transaction_;
  return true;
}

void AppendLogParser::Finish(std::vector<Words>& commands) {
  is_finished_ = true;
  words_.clear();
  for (size_t i = 0; i < places_.size(); ++i) words_.push_back(WordAt(i));
  commands.clear();
  size_t first = 0;
  for (const size_t count : counts_) {
    commands.push_back(Words(words_).subspan(first, count));
    first += count;
  }
}

}  // namespace mikura::engine
