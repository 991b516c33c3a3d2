// SPDX-License-Identifier: Apache-2.0
#include "wire/parameter_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/numbers.h"
#include "wire/glob.h"

namespace mikura::wire {
namespace {

// Settings that a client must not change even where the server could (as Redis protects them).
bool IsProtected(const ParameterSpec& spec) {
  return spec.name == "dir" || spec.name == "dbfilename";
}

// Of what is not built: what Redis cannot change either.
constexpr std::string_view kImmutable[] = {
    "always-show-logo",
    "aof_rewrite_cpulist",
    "bgsave_cpulist",
    "bio_cpulist",
    "cluster-config-file",
    "cluster-enabled",
    "cluster-port",
    "daemonize",
    "disable-thp",
    "enable-module-command",
    "io-threads-do-reads",
    "rdbchecksum",
    "enable-protected-configs",
    "server_cpulist",
    "set-proc-title",
    "socket-mark-id",
    "supervised",
    "syslog-enabled",
    "syslog-facility",
    "syslog-ident",
    "unixsocketperm",
};

// Settings of the start that Redis would change, or does not have: a client may set them to the
// value that they have, as tools do that write all settings back.
constexpr std::string_view kRewritable[] = {"bind",
                                            "port",
                                            "threads",
                                            "admin-socket",
                                            "node-id",
                                            "memcached-port",
                                            "memcached-tls-port",
                                            "tls-port",
                                            "shown-version",
                                            "shown-valkey-version",
                                            "restricted-commands"};

// Only shown to who asks for just this one.
constexpr std::string_view kHidden[] = {"key-load-delay"};

bool Contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsImmutable(const ParameterSpec& spec, std::string_view value,
                 const EngineParameters& current) {
  if (!spec.supported()) return Contains(kImmutable, spec.name);
  if (spec.runtime) return false;
  return !Contains(kRewritable, spec.name) || value != ParameterText(spec, current);
}

Error SetFailed(std::string_view name, std::string_view why) {
  return {fmt::format("CONFIG SET failed (possibly related to argument '{}') - {}", name, why)};
}

std::string Join(std::span<const std::string> words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty() || &word != words.data()) text += ' ';
    text += word;
  }
  return text;
}

}  // namespace

ParameterSet::ParameterSet() : current_(std::make_shared<const EngineParameters>()) {}

Status ParameterSet::Load(std::string_view name, std::span<const std::string> words) {
  const ParameterSpec* spec = FindParameter(name);
  if (spec == nullptr || words.empty()) {
    return Error{"Bad directive or wrong number of arguments"};
  }
  if (words.size() > 1 && spec->kind != ParameterKind::kWords) {
    return Error{"wrong number of arguments"};
  }
  EngineParameters next = *Current();
  std::string text = Join(words);
  if (spec->accumulates && !text.empty()) text = ParameterText(*spec, next) + " " + text;
  Status status = SetParameter(*spec, text, next);
  if (!status.ok()) return Error{fmt::format("'{}': {}", name, status.error().message)};
  MutexLock lock(mutex_);
  current_ = std::make_shared<const EngineParameters>(std::move(next));
  return Ok();
}

Status ParameterSet::LoadText(std::string_view text, std::string_view source) {
  int number = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const size_t first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos || line[first] == '#') continue;
    const auto failed = [&](std::string_view why) {
      return Error{fmt::format("{} line {}: >>> '{}': {}", source, number, line, why)};
    };
    Result<std::vector<std::string>> words = SplitWords(line);
    if (!words.ok()) return failed(words.error().message);
    if (words->empty()) continue;
    const Status status = Load((*words)[0], std::span<const std::string>(*words).subspan(1));
    if (!status.ok()) return failed(status.error().message);
  }
  return Ok();
}

std::shared_ptr<const EngineParameters> ParameterSet::Current() const {
  MutexLock lock(mutex_);
  return current_;
}

std::vector<std::pair<std::string, std::string>> ParameterSet::Get(
    std::span<const std::string_view> patterns) const {
  const std::shared_ptr<const EngineParameters> current = Current();
  std::vector<std::pair<std::string, std::string>> found;
  const auto add = [&](std::string_view name, const ParameterSpec& spec) {
    const bool wanted =
        !name.empty() && std::any_of(patterns.begin(), patterns.end(), [&](std::string_view p) {
          return Contains(kHidden, name) ? EqualsIgnoreCase(p, name)
                                         : GlobMatch(p, name, GlobCase::kInsensitive);
        });
    if (wanted) found.emplace_back(name, ParameterText(spec, *current));
  };
  for (const ParameterSpec& spec : AllParameters()) {
    add(spec.name, spec);
    add(spec.alias, spec);
  }
  return found;
}

Status ParameterSet::Set(std::span<const std::pair<std::string_view, std::string_view>> changes) {
  Specs specs;
  const std::shared_ptr<const EngineParameters> present = Current();
  for (const auto& [name, value] : changes) {
    const ParameterSpec* spec = FindParameter(name);
    if (spec == nullptr) {
      return Error{
          fmt::format("Unknown option or number of arguments for CONFIG SET - '{}'", name)};
    }
    if (IsProtected(*spec)) return SetFailed(name, "can't set protected config");
    if (IsImmutable(*spec, value, *present)) return SetFailed(name, "can't set immutable config");
    if (std::find(specs.begin(), specs.end(), spec) != specs.end()) {
      return SetFailed(name, "duplicate parameter");
    }
    specs.push_back(spec);
  }
  MutexLock change_lock(change_mutex_);
  const std::shared_ptr<const EngineParameters> before = Current();
  auto after = std::make_shared<EngineParameters>(*before);
  for (size_t i = 0; i < changes.size(); ++i) {
    Status status = SetParameter(*specs[i], changes[i].second, *after);
    if (!status.ok()) return SetFailed(changes[i].first, status.error().message);
  }
  {
    MutexLock lock(mutex_);
    current_ = after;
  }
  Status status = RunCallbacks(*before, *after, specs);
  if (!status.ok()) {
    MutexLock lock(mutex_);
    current_ = before;
  }
  return status;
}

void ParameterSet::OnChange(std::string_view name, ChangeCallback callback) {
  AddWatcher({&name, 1}, false, std::move(callback));
}

void ParameterSet::OnSet(std::span<const std::string_view> names, ChangeCallback callback) {
  AddWatcher(names, true, std::move(callback));
}

void ParameterSet::AddWatcher(std::span<const std::string_view> names, bool also_unchanged,
                              ChangeCallback callback) {
  Watcher watcher{{}, also_unchanged, std::move(callback)};
  for (const std::string_view name : names) {
    const ParameterSpec* spec = FindParameter(name);
    CHECK(spec != nullptr && spec->supported() && spec->runtime);
    watcher.specs.push_back(spec);
  }
  watchers_.push_back(std::move(watcher));
}

// On an error, the callbacks that have run are run again the other way round.
Status ParameterSet::RunCallbacks(const EngineParameters& before, const EngineParameters& after,
                                  const Specs& set) {
  // The first of `set` for which the watcher is to be called; null: none.
  const auto cause = [&](const Watcher& watcher) -> const ParameterSpec* {
    for (const ParameterSpec* spec : set) {
      const auto& watched = watcher.specs;
      if (std::find(watched.begin(), watched.end(), spec) == watched.end()) continue;
      if (watcher.also_unchanged || ParameterText(*spec, before) != ParameterText(*spec, after)) {
        return spec;
      }
    }
    return nullptr;
  };
  for (size_t i = 0; i < watchers_.size(); ++i) {
    const ParameterSpec* spec = cause(watchers_[i]);
    if (spec == nullptr) continue;
    const Status status = watchers_[i].callback(before, after);
    if (status.ok()) continue;
    for (size_t undo = i; undo-- > 0;) {
      if (cause(watchers_[undo]) == nullptr) continue;
      static_cast<void>(watchers_[undo].callback(after, before));
    }
    return SetFailed(spec->name, status.error().message);
  }
  return Ok();
}

Result<EngineCommandLine> ParseEngineCommandLine(std::span<const std::string_view> arguments) {
  EngineCommandLine line;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    if (word.size() > 2 && word.substr(0, 2) == "--") {
      line.options.push_back({std::string(word.substr(2)), {}});
    } else if (!line.options.empty()) {
      line.options.back().words.emplace_back(word);
    } else if (i == 0) {
      line.config_file = std::string(word);
    } else {
      return Error{fmt::format("'{}': an option begins with --", word)};
    }
  }
  for (const EngineCommandLine::Option& option : line.options) {
    if (option.words.empty()) return Error{fmt::format("'--{}': a value is missing", option.name)};
  }
  return line;
}

}  // namespace mikura::wire
