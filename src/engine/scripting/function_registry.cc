// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/function_library.h"
#include "engine/scripting/interpreter.h"

namespace mikura::engine::scripting {
namespace {

// The name of a library stands in quotes, but not when FUNCTION RESTORE finds it here already.
constexpr std::string_view kQuote = "'";
constexpr std::string_view kNoQuote = "";

// No two sets that are not empty have the same, those of another registry included.
uint64_t NextVersion() {
  static std::atomic<uint64_t> last = 0;
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

FunctionSetPtr FunctionRegistry::Snapshot() const {
  const MutexLock lock(mutex_);
  return set_;
}

std::shared_ptr<FunctionSet> FunctionRegistry::Copy() const {
  return std::make_shared<FunctionSet>(*set_);
}

void FunctionRegistry::Publish(std::shared_ptr<FunctionSet> set) {
  const uint64_t version = NextVersion();
  set->version = version;
  set_ = std::move(set);
  version_.store(version, std::memory_order_release);
}

Result<std::string> FunctionRegistry::Load(std::string_view code, bool replace,
                                           Interpreter& interpreter, ScriptHost& host) {
  ASSIGN_OR_RETURN(const LibraryMetadata metadata, ReadLibraryMetadata(code));
  if (!replace && Snapshot()->libraries.contains(metadata.name)) {
    return Error{"ERR Library '" + metadata.name + "' already exists"};
  }
  ASSIGN_OR_RETURN(const FunctionLibraryPtr library, interpreter.LoadLibrary(code, host));
  const MutexLock lock(mutex_);
  auto set = Copy();
  if (replace) set->Remove(library->name);
  RETURN_IF_ERROR(set->Add(library, kQuote));
  Publish(std::move(set));
  return library->name;
}

Status FunctionRegistry::Delete(std::string_view library) {
  const MutexLock lock(mutex_);
  if (set_->libraries.find(library) == set_->libraries.end()) {
    return Error{"ERR Library not found"};
  }
  auto set = Copy();
  set->Remove(library);
  Publish(std::move(set));
  return Ok();
}

void FunctionRegistry::Flush() {
  const MutexLock lock(mutex_);
  Publish(std::make_shared<FunctionSet>());
}

Status FunctionRegistry::Restore(std::span<const std::string> codes, RestorePolicy policy,
                                 Interpreter& interpreter, ScriptHost& host) {
  std::vector<FunctionLibraryPtr> libraries;
  FunctionSet among_themselves;
  for (const std::string& code : codes) {
    ASSIGN_OR_RETURN(FunctionLibraryPtr library, interpreter.LoadLibrary(code, host));
    RETURN_IF_ERROR(among_themselves.Add(library, kQuote));
    libraries.push_back(std::move(library));
  }
  const MutexLock lock(mutex_);
  auto set = policy == RestorePolicy::kFlush ? std::make_shared<FunctionSet>() : Copy();
  if (policy == RestorePolicy::kReplace) {
    for (const FunctionLibraryPtr& library : libraries) set->Remove(library->name);
  }
  for (const FunctionLibraryPtr& library : libraries) {
    RETURN_IF_ERROR(set->Add(library, kNoQuote));
  }
  Publish(std::move(set));
  return Ok();
}

std::vector<std::string> FunctionRegistry::DumpedCodes() const {
  const FunctionSetPtr set = Snapshot();
  std::vector<std::string> codes;
  for (const auto& [name, library] : set->libraries) codes.push_back(library->code);
  return codes;
}

}  // namespace mikura::engine::scripting
