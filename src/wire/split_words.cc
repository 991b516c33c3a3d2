// SPDX-License-Identifier: Apache-2.0
#include "wire/parameter_set.h"

namespace mikura::wire {
namespace {

bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Vertical tabs and form feeds separate words, but do not end one that has begun.
bool EndsWord(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char Unescape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// Reads a quoted part that opens at line[at]; returns the position behind its closing quote, or
// npos when it does not close.
size_t ReadQuoted(std::string_view line, size_t at, std::string& word) {
  const char quote = line[at];
  for (size_t i = at + 1; i < line.size(); ++i) {
    const bool more = i + 1 < line.size();
    if (line[i] == quote) return i + 1;
    if (line[i] == '\\' && more && quote == '\'' && line[i + 1] == '\'') {
      word += '\'';
      ++i;
    } else if (line[i] == '\\' && more && quote == '"') {
      const bool hex = line[i + 1] == 'x' && i + 3 < line.size() && HexDigit(line[i + 2]) >= 0 &&
                       HexDigit(line[i + 3]) >= 0;
      if (hex) {
        word += static_cast<char>(HexDigit(line[i + 2]) * 16 + HexDigit(line[i + 3]));
        i += 3;
      } else {
        word += Unescape(line[i + 1]);
        ++i;
      }
    } else {
      word += line[i];
    }
  }
  return std::string_view::npos;
}

}  // namespace

Result<std::vector<std::string>> SplitWords(std::string_view line) {
  const Error unbalanced{"Unbalanced quotes in configuration line"};
  std::vector<std::string> words;
  size_t at = 0;
  line = line.substr(0, line.find('\0'));  // as Redis, whose lines end there
  while (true) {
    while (at < line.size() && IsBlank(line[at])) ++at;
    if (at == line.size()) return words;
    std::string word;
    while (at < line.size() && !EndsWord(line[at])) {
      if (line[at] != '"' && line[at] != '\'') {
        word += line[at++];
        continue;
      }
      at = ReadQuoted(line, at, word);
      if (at == std::string_view::npos) return unbalanced;
      if (at < line.size() && !IsBlank(line[at])) return unbalanced;
      break;  // a closing quote ends the word
    }
    words.push_back(std::move(word));
  }
}

}  // namespace mikura::wire
