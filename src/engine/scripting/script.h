// SPDX-License-Identifier: Apache-2.0
// A script as EVAL and SCRIPT LOAD give it: immutable, shared by all threads. Nothing here is
// compiled; each thread's Interpreter does that for itself.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mikura::engine::scripting {

// No source text, of a script, a library or load(), is longer.
inline constexpr size_t kSourceBytesMax = size_t{16} << 20;

// What a script or a function declares about itself.
enum ScriptFlag : uint32_t {
  kNoWrites = 1 << 0,           // no-writes
  kAllowOom = 1 << 1,           // allow-oom
  kAllowStale = 1 << 2,         // allow-stale
  kNoCluster = 1 << 3,          // no-cluster
  kAllowCrossSlotKeys = 1 << 4  // allow-cross-slot-keys
};

// The flag of that name; 0 when there is none.
uint32_t ScriptFlagOf(std::string_view name);
// Its name; `flag` is one of the enumerators.
std::string_view NameOf(ScriptFlag flag);

struct Script {
  std::string sha1;  // 40 hex digits, lower case, of `body`
  std::string body;  // as sent
  // With a shebang line ("#!lua flags=...") the flags hold; without one a script runs as before
  // Redis 7: it may write, and whether it may run is decided command by command.
  bool has_shebang = false;
  uint32_t flags = 0;
  size_t code_offset = 0;  // of the line end behind the shebang, or 0

  // What is compiled: the line end of a shebang stays, so that lines keep their numbers.
  std::string_view code() const { return std::string_view(body).substr(code_offset); }

  // The cache's notes. Hints only, which publish nothing: relaxed.
  mutable std::atomic<bool> was_used = false;     // since the cache last looked for what may go
  mutable std::atomic<bool> was_dropped = false;  // the cache holds it no longer
};

using ScriptPtr = std::shared_ptr<const Script>;  // owned by the cache and by whoever runs it

// Reads the shebang. Errors carry the whole text behind "-": "ERR Unexpected flag in script ...".
Result<ScriptPtr> MakeScript(std::string_view body);

// The 40 lower-case hex digits under which EVALSHA finds `body`.
std::string Sha1Hex(std::string_view body);

}  // namespace mikura::engine::scripting
