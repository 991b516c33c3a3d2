// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/source_text.h"

#include <fmt/format.h>

namespace mikura::engine::scripting {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsLineEnd(char c) { return c == '\n' || c == '\r'; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
// Letters as the lexer sees them: all bytes above ASCII are among them.
bool IsName(char c) {
  return IsDigit(c) || c == '_' || (Lower(c) >= 'a' && Lower(c) <= 'z') || (c & 0x80) != 0;
}

class Scanner {
 public:
  explicit Scanner(std::string_view code) : code_(code) {}

  // The next suspicious number; empty at the end.
  std::string_view Find() {
    while (!AtEnd()) {
      const char c = code_[at_];
      if (c == '-' && Peek(1) == '-') {
        at_ += 2;
        if (!SkipLongBracket()) SkipLine();
      } else if (c == '[') {
        if (!SkipLongBracket()) ++at_;
      } else if (c == '"' || c == '\'') {
        SkipString(c);
      } else if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) {
        const std::string_view number = TakeNumber();
        const char last = Lower(number.back());
        if (last == 'l' || last == 'i') return number;
      } else if (IsName(c)) {
        while (!AtEnd() && IsName(code_[at_])) ++at_;
      } else {
        ++at_;
      }
    }
    return {};
  }

 private:
  bool AtEnd() const { return at_ >= code_.size(); }
  char Peek(size_t ahead) const { return at_ + ahead < code_.size() ? code_[at_ + ahead] : '\0'; }

  void SkipLine() {
    while (!AtEnd() && !IsLineEnd(code_[at_])) ++at_;
  }

  // "[==[ ... ]==]": false, and nothing skipped, when none begins here.
  bool SkipLongBracket() {
    if (Peek(0) != '[') return false;
    size_t level = 0;
    while (Peek(1 + level) == '=') ++level;
    if (Peek(1 + level) != '[') return false;
    const std::string close = "]" + std::string(level, '=') + "]";
    const size_t end = code_.find(close, at_ + level + 2);
    at_ = end == std::string_view::npos ? code_.size() : end + close.size();
    return true;
  }

  void SkipString(char quote) {
    ++at_;
    while (!AtEnd() && code_[at_] != quote) {
      if (code_[at_] == '\\') {
        SkipEscape();
      } else {
        ++at_;
      }
    }
    ++at_;
  }

  void SkipEscape() {
    ++at_;
    if (AtEnd()) return;
    const char c = code_[at_++];
    if (c == 'z') {
      while (!AtEnd() && IsBlank(code_[at_])) ++at_;
    } else if (IsLineEnd(c) && !AtEnd() && IsLineEnd(code_[at_]) && code_[at_] != c) {
      ++at_;
    }
  }

  std::string_view TakeNumber() {
    const size_t begin = at_;
    const char exponent = Peek(0) == '0' && Lower(Peek(1)) == 'x' ? 'p' : 'e';
    while (!AtEnd()) {
      const char c = code_[at_];
      const bool sign = (c == '+' || c == '-') && at_ > begin && Lower(code_[at_ - 1]) == exponent;
      if (!IsName(c) && c != '.' && !sign) break;
      ++at_;
    }
    return code_.substr(begin, at_ - begin);
  }

  std::string_view code_;
  size_t at_ = 0;
};

}  // namespace

std::optional<std::string> FindForeignNumber(std::string_view code, std::string_view chunk) {
  const std::string_view number = Scanner(code).Find();
  if (number.empty()) return std::nullopt;
  const auto before = code.substr(0, static_cast<size_t>(number.data() - code.data()));
  size_t line = 1;
  for (const char c : before) line += c == '\n';
  return fmt::format("{}:{}: malformed number near '{}'", chunk, line, number.substr(0, 80));
}

}  // namespace mikura::engine::scripting
