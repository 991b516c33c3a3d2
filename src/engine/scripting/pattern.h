// SPDX-License-Identifier: Apache-2.0
// Matching of Lua patterns, by backtracking as the language demands, with what a hostile pattern
// needs: every step is counted (LuaSandbox::Spend, so that SCRIPT KILL ends it), and the depth is
// bounded.
// Source: the Lua 5.1 reference manual, 5.4.1.
#pragma once

#include <cstddef>
#include <string_view>

#include "engine/scripting/sandbox.h"

namespace mikura::engine::scripting {

// One subject and one pattern. Trivially destructible: Lua errors pass over it.
class PatternMatch {
 public:
  static constexpr int kCapturesMax = 32;

  // A zero byte ends the pattern.
  PatternMatch(lua_State* lua, std::string_view subject, std::string_view pattern);

  // Tries at `from` only. `pattern` points into the pattern: to its begin, or behind its anchor.
  // Returns the end of the match, or null. Raises on malformed patterns.
  const char* MatchAt(const char* from, const char* pattern);

  const char* begin() const { return begin_; }
  const char* end() const { return end_; }
  // Of the last match; without captures of its own the whole match counts as one where asked for.
  int capture_count() const { return captures_; }
  // Pushes capture `index`, or the whole match [from, to) when there are none and index is 0.
  void PushCapture(int index, const char* from, const char* to);
  // Pushes all; returns how many. Without any: the whole match, unless `from` is null.
  int PushCaptures(const char* from, const char* to);

 private:
  struct Capture {
    const char* begin = nullptr;
    ptrdiff_t size = 0;
  };
  static constexpr ptrdiff_t kOpen = -1;
  static constexpr ptrdiff_t kPosition = -2;
  static constexpr int kDepthMax = 1'000;
  static constexpr size_t kStepsAtOnce = 128;
  static constexpr size_t kSetBytesPerStep = 16;

  // One place in the pattern to go on from, or the answer.
  struct Progress {
    const char* at = nullptr;  // null: no match
    const char* pattern = nullptr;
    bool is_answer = false;
  };

  const char* Match(const char* at, const char* pattern);
  const char* Deeper(const char* at, const char* pattern);
  Progress MatchItem(const char* at, const char* pattern);
  Progress MatchEscape(const char* at, const char* pattern);
  const char* MatchMost(const char* at, const char* pattern, const char* item_end);
  const char* MatchLeast(const char* at, const char* pattern, const char* item_end);
  const char* OpenCapture(const char* at, const char* pattern, ptrdiff_t kind);
  const char* CloseCapture(const char* at, const char* pattern);
  const char* SkipBalanced(const char* at, const char* pair);
  const char* SkipCapture(const char* at, char digit);
  bool IsFrontier(const char* at, const char* set, const char* close);
  bool FitsItem(const char* at, const char* pattern, const char* item_end);
  const char* ItemEnd(const char* pattern);
  const char* SetEnd(const char* set);

  void Step(size_t steps = 1) {
    steps_ += steps;
    if (steps_ >= kStepsAtOnce) [[unlikely]] {
      sandbox_.Spend(lua_, steps_);
      steps_ = 0;
    }
  }

  lua_State* const lua_;
  LuaSandbox& sandbox_;
  const char* const begin_;
  const char* const end_;
  const char* const pattern_end_;
  int captures_ = 0;
  int depth_ = 0;
  size_t steps_ = 0;
  Capture capture_[kCapturesMax];
};

}  // namespace mikura::engine::scripting
