// SPDX-License-Identifier: Apache-2.0
// The libraries of FUNCTION LOAD: one registry per engine, shared by all threads.
//
// What the registry holds is source text and what running it declared; the compiled functions are
// each Interpreter's own. A change makes a new immutable FunctionSet; interpreters notice by the
// version. (So a library's local variables exist once per thread.)
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"

namespace mikura::engine::scripting {

class Interpreter;
class ScriptHost;

struct FunctionInfo {
  std::string name;
  std::optional<std::string> description;
  uint32_t flags = 0;  // sum of ScriptFlag
};

struct FunctionLibrary {
  uint64_t id = 0;  // never used twice
  std::string name;
  std::string engine;  // "LUA"
  std::string code;    // with the shebang line
  std::vector<FunctionInfo> functions;
};

using FunctionLibraryPtr =
    std::shared_ptr<const FunctionLibrary>;  // owned by sets and interpreters

// The shebang of a library's code.
struct LibraryMetadata {
  std::string name;
  size_t code_offset = 0;  // of the line end behind the shebang: lines keep their numbers
};

// Errors as FUNCTION LOAD gives them.
Result<LibraryMetadata> ReadLibraryMetadata(std::string_view code);

// Whether a library or a function may be called so: letters, digits, underscores.
bool IsFunctionName(std::string_view name);

inline constexpr std::string_view kBadFunctionName =
    "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least "
    "one character long";

// What FCALL needs of one function.
struct FunctionEntry {
  FunctionLibraryPtr library;
  size_t index = 0;  // in library->functions

  const FunctionInfo& info() const { return library->functions[index]; }
};

// All libraries at one moment. Immutable.
class FunctionSet {
 public:
  // Errors: a name that exists already; `quote` stands around that of a library.
  Status Add(const FunctionLibraryPtr& library, std::string_view quote);
  void Remove(std::string_view library);

  uint64_t version = 0;  // 0: the set that a registry begins with, empty
  std::map<std::string, FunctionLibraryPtr, std::less<>> libraries;  // by name

  // Null when there is no such function (case does not matter).
  const FunctionEntry* Find(std::string_view function) const;
  size_t function_count() const { return functions_.size(); }

 private:
  // Names that differ only in case are one to FCALL.
  struct LessIgnoringCase {
    using is_transparent = void;  // NOLINT(readability-identifier-naming)
    bool operator()(std::string_view a, std::string_view b) const;
  };

  std::map<std::string, FunctionEntry, LessIgnoringCase> functions_;
};

using FunctionSetPtr = std::shared_ptr<const FunctionSet>;  // owned by the registry and its readers

// FUNCTION RESTORE: what happens to libraries that exist.
enum class RestorePolicy : uint8_t { kFlush, kAppend, kReplace };

// Thread-safe. No function holds the lock while Lua runs. Errors: the whole text behind "-".
class FunctionRegistry {
 public:
  FunctionRegistry() : set_(std::make_shared<FunctionSet>()) {}

  // Another one after every change, and of every registry. Publishes nothing: a reader that sees a
  // new one takes Snapshot().
  uint64_t version() const { return version_.load(std::memory_order_acquire); }
  FunctionSetPtr Snapshot() const;

  // FUNCTION LOAD: runs `code` on the caller's interpreter and adds the library; its name.
  Result<std::string> Load(std::string_view code, bool replace, Interpreter& interpreter,
                           ScriptHost& host);
  // FUNCTION DELETE.
  Status Delete(std::string_view library);
  // FUNCTION FLUSH.
  void Flush();
  // FUNCTION RESTORE, and libraries of an RDB file: all or nothing. `codes` as DumpedCodes gives
  // them (engine/persistence/function_payload.h makes and reads the bytes of FUNCTION DUMP).
  Status Restore(std::span<const std::string> codes, RestorePolicy policy, Interpreter& interpreter,
                 ScriptHost& host);
  // The source text of all libraries, for FUNCTION DUMP and RDB files.
  std::vector<std::string> DumpedCodes() const;

 private:
  std::shared_ptr<FunctionSet> Copy() const REQUIRES(mutex_);
  void Publish(std::shared_ptr<FunctionSet> set) REQUIRES(mutex_);

  mutable Mutex mutex_;
  FunctionSetPtr set_ GUARDED_BY(mutex_);
  std::atomic<uint64_t> version_ = 0;
};

}  // namespace mikura::engine::scripting
