// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/script.h"

#include <vector>

#include "base/check.h"
#include "wire/parameter_set.h"

namespace mikura::engine::scripting {
namespace {

struct FlagName {
  std::string_view name;
  ScriptFlag flag;
};

constexpr FlagName kFlagNames[] = {
    {"no-writes", kNoWrites},
    {"allow-oom", kAllowOom},
    {"allow-stale", kAllowStale},
    {"no-cluster", kNoCluster},
    {"allow-cross-slot-keys", kAllowCrossSlotKeys},
};

constexpr std::string_view kFlagsOption = "flags=";

// Adds the flags of a comma-separated list; an empty list has none.
Status AddFlags(std::string_view list, uint32_t& flags) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view name = list.substr(0, comma);
    const uint32_t flag = ScriptFlagOf(name);
    if (flag == 0) {
      return Error{"ERR Unexpected flag in script shebang: " + std::string(name)};
    }
    flags |= flag;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
    // "a," names an empty flag behind the comma.
    if (list.empty()) return Error{"ERR Unexpected flag in script shebang: "};
  }
  return Ok();
}

Status ReadShebang(std::string_view body, Script& script) {
  const size_t line_end = body.find('\n');
  if (line_end == std::string_view::npos) return Error{"ERR Invalid script shebang"};
  auto words = wire::SplitWords(body.substr(0, line_end));
  if (!words.ok() || words->empty()) return Error{"ERR Invalid engine in script shebang"};
  if (words->front() != "#!lua") {
    return Error{"ERR Unexpected engine in script shebang: " + words->front()};
  }
  for (size_t i = 1; i < words->size(); ++i) {
    const std::string_view word = (*words)[i];
    if (!word.starts_with(kFlagsOption)) {
      return Error{"ERR Unknown lua shebang option: " + std::string(word)};
    }
    RETURN_IF_ERROR(AddFlags(word.substr(kFlagsOption.size()), script.flags));
  }
  script.has_shebang = true;
  script.code_offset = line_end;
  return Ok();
}

}  // namespace

uint32_t ScriptFlagOf(std::string_view name) {
  for (const FlagName& known : kFlagNames) {
    if (known.name == name) return known.flag;
  }
  return 0;
}

std::string_view NameOf(ScriptFlag flag) {
  for (const FlagName& known : kFlagNames) {
    if (known.flag == flag) return known.name;
  }
  CHECK(false);
  return {};
}

Result<ScriptPtr> MakeScript(std::string_view body) {
  if (body.size() > kSourceBytesMax) return Error{"ERR Error compiling script: it is too long"};
  auto script = std::make_shared<Script>();
  if (body.starts_with("#!")) RETURN_IF_ERROR(ReadShebang(body, *script));
  script->sha1 = Sha1Hex(body);
  script->body = body;
  return ScriptPtr(std::move(script));
}

}  // namespace mikura::engine::scripting
