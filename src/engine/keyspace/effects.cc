// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/effects.h"

#include "base/numbers.h"

namespace mikura::engine {
namespace {

constexpr std::string_view kMulti = "*1\r\n$5\r\nMULTI\r\n";
constexpr std::string_view kExec = "*1\r\n$4\r\nEXEC\r\n";

void AppendHeader(std::string& out, char kind, size_t count) {
  char digits[24];
  digits[0] = kind;
  size_t length = 1 + FormatInt64(static_cast<int64_t>(count), digits + 1);
  digits[length++] = '\r';
  digits[length++] = '\n';
  out.append(digits, length);
}

}  // namespace

void Effects::AppendCommand(std::span<const std::string_view> words) {
  AppendHeader(bytes_, '*', words.size());
  for (const std::string_view word : words) {
    AppendHeader(bytes_, '$', word.size());
    bytes_.append(word);
    bytes_.append("\r\n", 2);
  }
}

void Effects::Add(int database, std::span<const std::string_view> words) {
  if (!active()) return;
  if (count_ == 0) current_database_ = 0;
  if (database != current_database_) {
    char digits[24];
    const size_t length = FormatInt64(database, digits);
    const std::string_view select[] = {"SELECT", {digits, length}};
    AppendCommand(select);
    current_database_ = database;
  }
  AppendCommand(words);
  ++count_;
}

std::string_view Effects::Record() {
  if (current_database_ != 0 && count_ > 0) {
    constexpr std::string_view kSelectZero[] = {"SELECT", "0"};
    AppendCommand(kSelectZero);
    current_database_ = 0;
  }
  if (count_ <= 1) return bytes_;
  record_.clear();
  record_.reserve(kMulti.size() + bytes_.size() + kExec.size());
  record_.append(kMulti).append(bytes_).append(kExec);
  return record_;
}

}  // namespace mikura::engine
