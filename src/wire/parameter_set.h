// SPDX-License-Identifier: Apache-2.0
// The settings of one running engine: loaded at start, read by everyone, changed by CONFIG SET.
//
// A change builds a new EngineParameters and publishes the pointer; whoever holds the old one goes
// on with it. Callbacks run afterwards, one change at a time, with no lock of readers held.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "wire/engine_parameters.h"

namespace mikura::wire {

class ParameterSet {
 public:
  // Called with the settings before and after. An error takes the whole change back; it is shown to
  // the client ("Failed to bind to specified addresses.").
  using ChangeCallback =
      std::function<Status(const EngineParameters& before, const EngineParameters& after)>;

  ParameterSet();

  // ---- At start, before threads exist.
  // One setting with the words behind its name, as a line of a configuration file has them.
  Status Load(std::string_view name, std::span<const std::string> words);
  // The text of a redis.conf; `source` names it in errors ("/etc/redis.conf line 3: ...").
  Status LoadText(std::string_view text, std::string_view source);

  // ---- At any time, from any thread.
  // Shared by the set and by readers that still use an older version.
  std::shared_ptr<const EngineParameters> Current() const;
  // Name and value of every row (and alias) that matches one of the glob patterns.
  std::vector<std::pair<std::string, std::string>> Get(
      std::span<const std::string_view> patterns) const;
  // Sets all or none. The error is the text behind "ERR " of CONFIG SET. May block in callbacks.
  Status Set(std::span<const std::pair<std::string_view, std::string_view>> changes);
  // Register before the first Set(). Callbacks of all names run in the order of registration when
  // the value of `name` has changed.
  void OnChange(std::string_view name, ChangeCallback callback);
  // The same for several names, also when one is set to the value that it has: a file of the same
  // name may have another content. Called once for each Set() that names any of them.
  void OnSet(std::span<const std::string_view> names, ChangeCallback callback);

 private:
  using Specs = std::vector<const ParameterSpec*>;

  struct Watcher {
    Specs specs;
    bool also_unchanged = false;
    ChangeCallback callback;
  };

  void AddWatcher(std::span<const std::string_view> names, bool also_unchanged,
                  ChangeCallback callback);
  // `set`: what Set() names, in its order.
  Status RunCallbacks(const EngineParameters& before, const EngineParameters& after,
                      const Specs& set);

  Mutex change_mutex_;   // one change at a time; taken before mutex_
  mutable Mutex mutex_;  // guards the pointer only
  std::shared_ptr<const EngineParameters> current_ GUARDED_BY(mutex_);
  std::vector<Watcher> watchers_;  // fixed before the first Set()
};

// The command line of `mikura engine`, in the form redis-server takes:
// [file] --name value ... --name value ...
struct EngineCommandLine {
  struct Option {
    std::string name;
    std::vector<std::string> words;
  };
  std::string config_file;  // "": none
  std::vector<Option> options;
};
Result<EngineCommandLine> ParseEngineCommandLine(std::span<const std::string_view> arguments);

// Splits one line into words: blanks separate, "..." with \n \r \t \b \a \" \\ \xHH, '...' with \'.
// A zero byte ends the line. Errors: unbalanced quotes, or text right behind a closing quote.
Result<std::vector<std::string>> SplitWords(std::string_view line);

}  // namespace mikura::wire
