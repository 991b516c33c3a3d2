// SPDX-License-Identifier: Apache-2.0
// The words of a Lua 5.1 program. Text that does not compile may be
// separated differently.
#pragma once

#include <cstdint>
#include <string_view>

namespace mikura::engine::scripting {

enum class SourceWord : uint8_t { kName, kNumber, kString, kSymbol, kEnd };

class SourceScanner {
 public:
  explicit SourceScanner(std::string_view code) : code_(code) {}

  // Takes the next word, over blanks and comments. A symbol is one character ("==" are two).
  SourceWord Next();

  // Of the word that was taken last.
  std::string_view text() const { return code_.substr(begin_, at_ - begin_); }
  size_t begin() const { return begin_; }
  size_t end() const { return at_; }

 private:
  bool AtEnd() const { return at_ >= code_.size(); }
  char Peek(size_t ahead) const { return at_ + ahead < code_.size() ? code_[at_ + ahead] : '\0'; }
  bool SkipComment();
  bool SkipLongBracket();
  void SkipQuoted(char quote);
  void SkipEscape();
  void SkipNumber();

  std::string_view code_;
  size_t begin_ = 0;
  size_t at_ = 0;
};

}  // namespace mikura::engine::scripting
