// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/numbers.h"
#include "engine/scripting/function_library.h"
#include "wire/parameter_set.h"

namespace mikura::engine::scripting {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool FunctionSet::LessIgnoringCase::operator()(std::string_view a, std::string_view b) const {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return Lower(x) < Lower(y); });
}

const FunctionEntry* FunctionSet::Find(std::string_view function) const {
  const auto found = functions_.find(function);
  return found == functions_.end() ? nullptr : &found->second;
}

Status FunctionSet::Add(const FunctionLibraryPtr& library, std::string_view quote) {
  if (libraries.contains(library->name)) {
    const std::string quoted = std::string(quote) + library->name + std::string(quote);
    return Error{"ERR Library " + quoted + " already exists"};
  }
  for (const FunctionInfo& function : library->functions) {
    if (functions_.contains(function.name)) {
      return Error{"ERR Function " + function.name + " already exists"};
    }
  }
  for (size_t i = 0; i < library->functions.size(); ++i) {
    functions_.emplace(library->functions[i].name, FunctionEntry{library, i});
  }
  libraries.emplace(library->name, library);
  return Ok();
}

void FunctionSet::Remove(std::string_view library) {
  const auto found = libraries.find(library);
  if (found == libraries.end()) return;
  for (const FunctionInfo& function : found->second->functions) functions_.erase(function.name);
  libraries.erase(found);
}

bool IsFunctionName(std::string_view name) {
  const auto is_allowed = [](char c) {
    return (Lower(c) >= 'a' && Lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_allowed);
}

Result<LibraryMetadata> ReadLibraryMetadata(std::string_view code) {
  constexpr std::string_view kNameOption = "name=";
  if (!code.starts_with("#!")) return Error{"ERR Missing library metadata"};
  const size_t line_end = code.find('\n');
  if (line_end == std::string_view::npos) return Error{"ERR Invalid library metadata"};
  auto words = wire::SplitWords(code.substr(0, line_end));
  if (!words.ok() || words->empty()) return Error{"ERR Invalid library metadata"};
  std::optional<std::string> name;
  for (size_t i = 1; i < words->size(); ++i) {
    const std::string_view word = (*words)[i];
    if (!EqualsIgnoreCase(word.substr(0, kNameOption.size()), kNameOption)) {
      return Error{"ERR Invalid metadata value given: " + std::string(word)};
    }
    if (name) {
      return Error{"ERR Invalid metadata value, name argument was given multiple times"};
    }
    name = word.substr(kNameOption.size());
  }
  if (!name) return Error{"ERR Library name was not given"};
  if (!IsFunctionName(*name)) return Error{std::string(kBadFunctionName)};
  const std::string engine = words->front().substr(2);
  if (!EqualsIgnoreCase(engine, "lua")) return Error{"ERR Engine '" + engine + "' not found"};
  return LibraryMetadata{std::move(*name), line_end};
}

}  // namespace mikura::engine::scripting
