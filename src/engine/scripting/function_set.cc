// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/function_library.h"

namespace mikura::engine::scripting {

const FunctionEntry* FunctionSet::Find(std::string_view function) const {
  const auto found = functions_.find(function);
  return found == functions_.end() ? nullptr : &found->second;
}

Status FunctionSet::Add(FunctionLibraryPtr library) {
  if (libraries.contains(library->name)) {
    return Error{"ERR Library '" + library->name + "' already exists"};
  }
  for (const FunctionInfo& function : library->functions) {
    if (functions_.contains(function.name)) {
      return Error{"ERR Function " + function.name + " already exists"};
    }
  }
  for (size_t i = 0; i < library->functions.size(); ++i) {
    functions_.emplace(library->functions[i].name, FunctionEntry{library, i});
  }
  std::string name = library->name;
  libraries.emplace(std::move(name), std::move(library));
  return Ok();
}

void FunctionSet::Remove(std::string_view library) {
  const auto found = libraries.find(library);
  if (found == libraries.end()) return;
  for (const FunctionInfo& function : found->second->functions) functions_.erase(function.name);
  libraries.erase(found);
}

}  // namespace mikura::engine::scripting
