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

void AppendCommand(std::string& out, std::span<const std::string_view> words) {
  AppendHeader(out, '*', words.size());
  for (const std::string_view word : words) {
    AppendHeader(out, '$', word.size());
    out.append(word);
    out.append("\r\n", 2);
  }
}

void AppendSelect(std::string& out, int database) {
  char digits[24];
  const size_t length = FormatInt64(database, digits);
  const std::string_view select[] = {"SELECT", {digits, length}};
  AppendCommand(out, select);
}

}  // namespace

void Effects::Add(int database, std::span<const std::string_view> words) {
  if (!active_) return;
  if (count_ == 0) current_database_ = 0;
  if (database != current_database_) {
    AppendSelect(bytes_, database);
    current_database_ = database;
  }
  if (count_ == 0) first_ = bytes_.size();
  AppendCommand(bytes_, words);
  ++count_;
}

std::string_view Effects::Record() {
  if (count_ <= 1 && current_database_ == 0) return bytes_;
  const std::string_view all = bytes_;
  record_.assign(all.substr(0, first_));
  record_.reserve(kMulti.size() + bytes_.size() + kExec.size() + kMulti.size() * 2);
  if (count_ > 1) record_.append(kMulti);
  record_.append(all.substr(first_));
  if (count_ > 1) record_.append(kExec);
  if (current_database_ != 0) AppendSelect(record_, 0);
  return record_;
}

}  // namespace mikura::engine
