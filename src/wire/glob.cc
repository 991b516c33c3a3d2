// SPDX-License-Identifier: Apache-2.0
#include "wire/glob.h"

#include <cstddef>
#include <utility>

namespace mikura::wire {
namespace {

char Fold(char c, GlobCase mode) {
  return mode == GlobCase::kInsensitive && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// Result of matching one element of the pattern against one character.
struct Step {
  bool matches;
  size_t next;  // position behind the element
};

// The class that opens at pattern[at] == '['.
Step MatchClass(std::string_view pattern, size_t at, char c, GlobCase mode) {
  size_t i = at + 1;
  const bool negated = i < pattern.size() && pattern[i] == '^';
  if (negated) ++i;
  bool found = false;
  const auto byte = static_cast<unsigned char>(Fold(c, mode));
  for (;; ++i) {
    if (i >= pattern.size()) break;
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      ++i;
      found |= pattern[i] == c;
    } else if (pattern[i] == ']') {
      ++i;
      break;
    } else if (i + 2 < pattern.size() && pattern[i + 1] == '-') {
      auto low = static_cast<unsigned char>(Fold(pattern[i], mode));
      auto high = static_cast<unsigned char>(Fold(pattern[i + 2], mode));
      if (low > high) std::swap(low, high);
      found |= low <= byte && byte <= high;
      i += 2;
    } else {
      found |= static_cast<unsigned char>(Fold(pattern[i], mode)) == byte;
    }
  }
  return {found != negated, i};
}

// The element at pattern[at], which is not '*'.
Step MatchElement(std::string_view pattern, size_t at, char c, GlobCase mode) {
  if (pattern[at] == '?') return {true, at + 1};
  if (pattern[at] == '[') return MatchClass(pattern, at, c, mode);
  if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
  return {Fold(pattern[at], mode) == Fold(c, mode), at + 1};
}

}  // namespace

// Every element but '*' takes exactly one character, so only the last '*' ever needs another try:
// an earlier one could gain nothing that the later one cannot.
bool GlobMatch(std::string_view pattern, std::string_view text, GlobCase mode) {
  size_t p = 0;
  size_t t = 0;
  bool seen_star = false;
  size_t star_pattern = 0;  // behind the last '*'
  size_t star_text = 0;     // where its next try begins
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      while (p < pattern.size() && pattern[p] == '*') ++p;
      if (p == pattern.size()) return true;
      seen_star = true;
      star_pattern = p;
      star_text = t;
      continue;
    }
    if (p < pattern.size()) {
      const Step step = MatchElement(pattern, p, text[t], mode);
      if (step.matches) {
        p = step.next;
        ++t;
        continue;
      }
    }
    if (!seen_star) return false;
    p = star_pattern;
    t = ++star_text;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace mikura::wire
