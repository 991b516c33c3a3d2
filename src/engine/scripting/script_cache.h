// SPDX-License-Identifier: Apache-2.0
// The scripts that EVALSHA finds: one cache per engine, and one reader per thread in front of it
// that takes no lock for what it has seen.
//
// Scripts of SCRIPT LOAD stay until SCRIPT FLUSH. Those of EVAL are bounded: beyond
// kEvalScriptsMax or kEvalBytesMax the ones not used lately go.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutex.h"
#include "base/result.h"
#include "engine/scripting/script.h"

namespace mikura::engine::scripting {

// Lets maps keyed by std::string be asked by std::string_view.
struct ShaHash {
  using is_transparent = void;  // NOLINT(readability-identifier-naming)
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

using ScriptMap = std::unordered_map<std::string, ScriptPtr, ShaHash, std::equal_to<>>;

// Thread-safe.
class ScriptCache {
 public:
  static constexpr size_t kEvalScriptsMax = 5'000;
  static constexpr size_t kEvalBytesMax = size_t{64} << 20;

  enum class Origin : uint8_t { kEval, kScriptLoad };

  // Null when there is none. `sha1` in lower case.
  ScriptPtr Find(std::string_view sha1);
  // Keeps `script`, or the one with the same body that is there already, which it returns. What
  // came by EVAL and is loaded by SCRIPT LOAD stays from then on.
  ScriptPtr Add(const ScriptPtr& script, Origin origin);
  // SCRIPT FLUSH. Every interpreter must ForgetScripts() when it sees a new generation.
  void Flush();

  // Grows with every Flush.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  size_t script_count() const;
  size_t memory_bytes() const;

 private:
  struct Held {
    ScriptPtr script;
    bool is_permanent = false;
    std::list<std::string>::iterator order;  // in eval_order_, unless permanent
  };

  void MakeRoom(std::string_view keep) REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::unordered_map<std::string, Held, ShaHash, std::equal_to<>> scripts_ GUARDED_BY(mutex_);
  std::list<std::string> eval_order_ GUARDED_BY(mutex_);  // of those that are not permanent
  size_t eval_bytes_ GUARDED_BY(mutex_) = 0;
  size_t bytes_ GUARDED_BY(mutex_) = 0;
  std::atomic<uint64_t> generation_ = 0;
};

// One thread's view of a ScriptCache.
class ScriptCacheReader {
 public:
  explicit ScriptCacheReader(ScriptCache& cache) : cache_(cache) {}

  // True once after each SCRIPT FLUSH: the thread's interpreter must ForgetScripts().
  bool NoticeFlush();
  // EVALSHA: the script with these 40 hex digits, of any case; null when there is none.
  ScriptPtr Find(std::string_view sha1);
  // EVAL and SCRIPT LOAD: the script with this body. Errors as MakeScript. A new one is in the
  // cache only after Keep(): compile it first, for only what compiles is kept.
  Result<ScriptPtr> FindOrMake(std::string_view body);
  // Cheap for a script that is in the cache already.
  void Keep(const ScriptPtr& script, ScriptCache::Origin origin);

 private:
  static constexpr size_t kSeenMax = 1'000;
  static constexpr size_t kSeenBodyBytesMax = 16 << 10;  // larger ones are looked up in the cache

  void Remember(const ScriptPtr& script);
  // Whether `script` is in the cache, as far as this thread knows; notes its use.
  static bool IsKept(const ScriptPtr& script) {
    if (script == nullptr || script->was_dropped.load(std::memory_order_relaxed)) return false;
    if (!script->was_used.load(std::memory_order_relaxed)) {
      script->was_used.store(true, std::memory_order_relaxed);
    }
    return true;
  }

  ScriptCache& cache_;
  uint64_t generation_ = 0;
  ScriptPtr last_;  // found: most threads run one script for long
  ScriptMap by_sha1_;
  ScriptMap by_body_;  // saves the SHA-1 of a body that comes again and again
};

}  // namespace mikura::engine::scripting
