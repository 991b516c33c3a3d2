// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/pattern.h"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace mikura::engine::scripting {
namespace {

int Byte(char c) { return static_cast<unsigned char>(c); }

bool IsInClass(char c, char name) {
  const int byte = Byte(c);
  bool fits = false;
  switch (std::tolower(Byte(name))) {
    case 'a':
      fits = std::isalpha(byte) != 0;
      break;
    case 'c':
      fits = std::iscntrl(byte) != 0;
      break;
    case 'd':
      fits = std::isdigit(byte) != 0;
      break;
    case 'l':
      fits = std::islower(byte) != 0;
      break;
    case 'p':
      fits = std::ispunct(byte) != 0;
      break;
    case 's':
      fits = std::isspace(byte) != 0;
      break;
    case 'u':
      fits = std::isupper(byte) != 0;
      break;
    case 'w':
      fits = std::isalnum(byte) != 0;
      break;
    case 'x':
      fits = std::isxdigit(byte) != 0;
      break;
    case 'z':
      fits = byte == 0;
      break;
    default:
      return name == c;
  }
  return fits != (std::isupper(Byte(name)) != 0);
}

// Whether `c` is in the set between `set` (its '[') and `close` (its ']').
bool IsInSet(char c, const char* set, const char* close) {
  const bool negated = set[1] == '^';
  for (const char* p = set + (negated ? 2 : 1); p < close; ++p) {
    if (*p == '%') {
      if (IsInClass(c, *++p)) return !negated;
    } else if (p[1] == '-' && p + 2 < close) {
      if (Byte(p[0]) <= Byte(c) && Byte(c) <= Byte(p[2])) return !negated;
      p += 2;
    } else if (*p == c) {
      return !negated;
    }
  }
  return negated;
}

}  // namespace

PatternMatch::PatternMatch(lua_State* lua, std::string_view subject, std::string_view pattern)
    : lua_(lua),
      sandbox_(LuaSandbox::Of(lua)),
      begin_(subject.data()),
      end_(subject.data() + subject.size()),
      pattern_end_(pattern.data() + std::min(pattern.size(), pattern.find('\0'))) {}

const char* PatternMatch::MatchAt(const char* from, const char* pattern) {
  captures_ = 0;
  depth_ = 0;
  return Match(from, pattern);
}

const char* PatternMatch::Match(const char* at, const char* pattern) {
  while (pattern != pattern_end_) {
    Step();
    if (*pattern == '(') {
      const bool is_position = pattern + 1 != pattern_end_ && pattern[1] == ')';
      return is_position ? OpenCapture(at, pattern + 2, kPosition)
                         : OpenCapture(at, pattern + 1, kOpen);
    }
    if (*pattern == ')') return CloseCapture(at, pattern + 1);
    if (*pattern == '$' && pattern + 1 == pattern_end_) return at == end_ ? at : nullptr;
    const Progress progress = *pattern == '%' && pattern + 1 != pattern_end_
                                  ? MatchEscape(at, pattern)
                                  : MatchItem(at, pattern);
    if (progress.at == nullptr || progress.is_answer) return progress.at;
    at = progress.at;
    pattern = progress.pattern;
  }
  return at;
}

const char* PatternMatch::Deeper(const char* at, const char* pattern) {
  if (++depth_ > kDepthMax) luaL_error(lua_, "pattern too complex");
  const char* end = Match(at, pattern);
  --depth_;
  return end;
}

// "%b()", "%f[set]", "%1"; other escapes are ordinary items.
PatternMatch::Progress PatternMatch::MatchEscape(const char* at, const char* pattern) {
  const char kind = pattern[1];
  if (kind == 'b') {
    if (pattern_end_ - pattern < 4) luaL_error(lua_, "unbalanced pattern");
    return {SkipBalanced(at, pattern + 2), pattern + 4};
  }
  if (kind == 'f') {
    const char* set = pattern + 2;
    if (set == pattern_end_ || *set != '[') luaL_error(lua_, "missing '[' after '%%f' in pattern");
    const char* set_end = ItemEnd(set);
    return {IsFrontier(at, set, set_end - 1) ? at : nullptr, set_end};
  }
  if (std::isdigit(Byte(kind)) != 0) return {SkipCapture(at, kind), pattern + 2};
  return MatchItem(at, pattern);
}

// One character, class or set, with what may stand behind it.
PatternMatch::Progress PatternMatch::MatchItem(const char* at, const char* pattern) {
  const char* item_end = ItemEnd(pattern);
  const char repeat = item_end == pattern_end_ ? '\0' : *item_end;
  const bool fits = at < end_ && FitsItem(at, pattern, item_end);
  switch (repeat) {
    case '?':
      if (fits) {
        if (const char* end = Deeper(at + 1, item_end + 1)) return {end, nullptr, true};
      }
      return {at, item_end + 1};
    case '*':
      return {MatchMost(at, pattern, item_end), nullptr, true};
    case '+':
      return {fits ? MatchMost(at + 1, pattern, item_end) : nullptr, nullptr, true};
    case '-':
      return {MatchLeast(at, pattern, item_end), nullptr, true};
    default:
      return {fits ? at + 1 : nullptr, item_end};
  }
}

const char* PatternMatch::MatchMost(const char* at, const char* pattern, const char* item_end) {
  const char* last = at;
  while (last < end_ && FitsItem(last, pattern, item_end)) {
    Step();
    ++last;
  }
  for (; last >= at; --last) {
    if (const char* end = Deeper(last, item_end + 1)) return end;
    Step();
  }
  return nullptr;
}

const char* PatternMatch::MatchLeast(const char* at, const char* pattern, const char* item_end) {
  while (true) {
    if (const char* end = Deeper(at, item_end + 1)) return end;
    if (at == end_ || !FitsItem(at, pattern, item_end)) return nullptr;
    Step();
    ++at;
  }
}

const char* PatternMatch::OpenCapture(const char* at, const char* pattern, ptrdiff_t kind) {
  if (captures_ == kCapturesMax) luaL_error(lua_, "too many captures");
  capture_[captures_++] = {at, kind};
  const char* end = Deeper(at, pattern);
  if (end == nullptr) --captures_;
  return end;
}

const char* PatternMatch::CloseCapture(const char* at, const char* pattern) {
  int open = captures_ - 1;
  while (open >= 0 && capture_[open].size != kOpen) --open;
  if (open < 0) luaL_error(lua_, "invalid pattern capture");
  capture_[open].size = at - capture_[open].begin;
  const char* end = Deeper(at, pattern);
  if (end == nullptr) capture_[open].size = kOpen;
  return end;
}

// Behind the text that opens with pair[0] at `at` and closes with pair[1]; null when none does.
const char* PatternMatch::SkipBalanced(const char* at, const char* pair) {
  if (at == end_ || *at != pair[0]) return nullptr;
  size_t open = 1;
  for (++at; at < end_; ++at) {
    Step();
    if (*at == pair[1]) {
      if (--open == 0) return at + 1;
    } else if (*at == pair[0]) {
      ++open;
    }
  }
  return nullptr;
}

const char* PatternMatch::SkipCapture(const char* at, char digit) {
  const int index = digit - '1';
  if (index < 0 || index >= captures_ || capture_[index].size == kOpen) {
    luaL_error(lua_, "invalid capture index");
  }
  const Capture& capture = capture_[index];
  // A position is no text: it matches nothing.
  if (capture.size < 0 || end_ - at < capture.size) return nullptr;
  const auto size = static_cast<size_t>(capture.size);
  sandbox_.Spend(lua_, size / 64);
  return std::memcmp(capture.begin, at, size) == 0 ? at + size : nullptr;
}

bool PatternMatch::IsFrontier(const char* at, const char* set, const char* close) {
  const char before = at == begin_ ? '\0' : at[-1];
  const char here = at == end_ ? '\0' : *at;
  return !IsInSet(before, set, close) && IsInSet(here, set, close);
}

bool PatternMatch::FitsItem(const char* at, const char* pattern, const char* item_end) {
  switch (*pattern) {
    case '.':
      return true;
    case '%':
      return IsInClass(*at, pattern[1]);
    case '[':
      Step(static_cast<size_t>(item_end - pattern) / kSetBytesPerStep);
      return IsInSet(*at, pattern, item_end - 1);
    default:
      return *pattern == *at;
  }
}

const char* PatternMatch::ItemEnd(const char* pattern) {
  if (*pattern == '%') {
    if (pattern + 1 == pattern_end_) luaL_error(lua_, "malformed pattern (ends with '%%')");
    return pattern + 2;
  }
  return *pattern == '[' ? SetEnd(pattern) : pattern + 1;
}

// Behind the ']' of a set. One directly behind '[' or '[^' is a member.
const char* PatternMatch::SetEnd(const char* set) {
  const char* p = set + 1;
  if (p != pattern_end_ && *p == '^') ++p;
  do {
    if (p == pattern_end_) luaL_error(lua_, "malformed pattern (missing ']')");
    const bool is_escape = *p++ == '%' && p != pattern_end_;
    if (is_escape) ++p;
  } while (p == pattern_end_ || *p != ']');
  Step(static_cast<size_t>(p - set) / kSetBytesPerStep);
  return p + 1;
}

void PatternMatch::PushCapture(int index, const char* from, const char* to) {
  if (index >= captures_) {
    if (index != 0) luaL_error(lua_, "invalid capture index");
    lua_pushlstring(lua_, from, static_cast<size_t>(to - from));
    return;
  }
  const Capture& capture = capture_[index];
  if (capture.size == kOpen) luaL_error(lua_, "unfinished capture");
  if (capture.size == kPosition) {
    lua_pushinteger(lua_, capture.begin - begin_ + 1);
  } else {
    lua_pushlstring(lua_, capture.begin, static_cast<size_t>(capture.size));
  }
}

int PatternMatch::PushCaptures(const char* from, const char* to) {
  const int count = captures_ == 0 && from != nullptr ? 1 : captures_;
  luaL_checkstack(lua_, count, "too many captures");
  for (int i = 0; i < count; ++i) PushCapture(i, from, to);
  return count;
}

}  // namespace mikura::engine::scripting
