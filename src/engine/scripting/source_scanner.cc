// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/source_scanner.h"

#include <string>

namespace mikura::engine::scripting {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsLineEnd(char c) { return c == '\n' || c == '\r'; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
// All bytes above ASCII count as letters.
bool IsName(char c) {
  return IsDigit(c) || c == '_' || (Lower(c) >= 'a' && Lower(c) <= 'z') || (c & 0x80) != 0;
}

}  // namespace

SourceWord SourceScanner::Next() {
  while (!AtEnd() && (IsBlank(code_[at_]) || SkipComment())) {
    if (!AtEnd() && IsBlank(code_[at_])) ++at_;
  }
  begin_ = at_;
  if (AtEnd()) return SourceWord::kEnd;
  const char c = code_[at_];
  if (c == '"' || c == '\'') {
    SkipQuoted(c);
    return SourceWord::kString;
  }
  if (SkipLongBracket()) return SourceWord::kString;
  if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) {
    SkipNumber();
    return SourceWord::kNumber;
  }
  if (IsName(c)) {
    while (!AtEnd() && IsName(code_[at_])) ++at_;
    return SourceWord::kName;
  }
  ++at_;
  return SourceWord::kSymbol;
}

bool SourceScanner::SkipComment() {
  if (Peek(0) != '-' || Peek(1) != '-') return false;
  at_ += 2;
  if (SkipLongBracket()) return true;
  while (!AtEnd() && !IsLineEnd(code_[at_])) ++at_;
  return true;
}

// "[==[ ... ]==]": false, and nothing skipped, when none begins here.
bool SourceScanner::SkipLongBracket() {
  if (Peek(0) != '[') return false;
  size_t level = 0;
  while (Peek(1 + level) == '=') ++level;
  if (Peek(1 + level) != '[') return false;
  const std::string close = "]" + std::string(level, '=') + "]";
  const size_t end = code_.find(close, at_ + level + 2);
  at_ = end == std::string_view::npos ? code_.size() : end + close.size();
  return true;
}

void SourceScanner::SkipQuoted(char quote) {
  ++at_;
  while (!AtEnd() && code_[at_] != quote) {
    if (code_[at_] == '\\') {
      SkipEscape();
    } else {
      ++at_;
    }
  }
  if (!AtEnd()) ++at_;
}

void SourceScanner::SkipEscape() {
  ++at_;
  if (AtEnd()) return;
  const char c = code_[at_++];
  if (IsLineEnd(c) && !AtEnd() && IsLineEnd(code_[at_]) && code_[at_] != c) {
    ++at_;
  }
}

void SourceScanner::SkipNumber() {
  const char exponent = Peek(0) == '0' && Lower(Peek(1)) == 'x' ? 'p' : 'e';
  const size_t begin = at_;
  while (!AtEnd()) {
    const char c = code_[at_];
    const bool is_sign = (c == '+' || c == '-') && at_ > begin && Lower(code_[at_ - 1]) == exponent;
    if (!IsName(c) && c != '.' && !is_sign) return;
    ++at_;
  }
}

}  // namespace mikura::engine::scripting
