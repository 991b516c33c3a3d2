// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/effects.h"

#include <string>

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

void AppendCommandHeader(std::string& out, size_t words) { AppendHeader(out, '*', words); }

void AppendCommandWord(std::string& out, std::string_view word) {
  AppendHeader(out, '$', word.size());
  out.append(word);
  out.append("\r\n", 2);
}

void Effects::Add(int database, std::span<const std::string_view> words) {
  if (!active()) return;
  BeginCommand(database);
  AppendCommandHeader(bytes_, words.size());
  for (const std::string_view word : words) AppendCommandWord(bytes_, word);
}

void Effects::AddEncoded(int database, std::string_view command) {
  if (!active()) return;
  BeginCommand(database);
  bytes_.append(command);
}

void Effects::BeginCommand(int database) {
  if (count_ == 0) first_database_ = current_database_ = database;
  if (database != current_database_) {
    AppendSelect(bytes_, database);
    current_database_ = database;
  }
  ++count_;
}

LogRecord Effects::Record() {
  if (count_ <= 1) return {bytes_, first_database_, current_database_};
  record_.clear();
  record_.reserve(kMulti.size() + bytes_.size() + kExec.size());
  record_.append(kMulti).append(bytes_).append(kExec);
  return {record_, first_database_, current_database_};
}

}  // namespace mikura::engine
