// SPDX-License-Identifier: Apache-2.0
// The list of the files that make up the append log, in the words of Redis 7:
//   file appendonly.aof.2.base.rdb seq 2 type b
//   file appendonly.aof.1.incr.aof seq 1 type h
//   file appendonly.aof.2.incr.aof seq 2 type i
// The base, then the increments in their order, are the data. What is history is no longer needed,
// and deleted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mikura::engine {

struct AppendLogManifest {
  struct File {
    std::string name;
    int64_t sequence = 0;
  };

  // source: the name of the file, for errors, which say in which line they are.
  static Result<AppendLogManifest> Parse(std::string_view text, const std::string& source);
  std::string Text() const;

  bool empty() const { return !base && increments.empty(); }
  // `name`: the setting appendfilename. They do not change the manifest.
  // is_rdb: its form, which its name tells.
  File NextBase(const std::string& name, bool is_rdb = true) const;
  File NextIncrement(const std::string& name) const;
  // From now on `file` is the base, and of the increments only those from `first_increment` on
  // count.
  void ReplaceBase(File file, int64_t first_increment);
  void AddIncrement(File file);

  std::optional<File> base;
  std::vector<File> increments;
  std::vector<File> history;
  // The highest that were given.
  int64_t last_base = 0;
  int64_t last_increment = 0;
};

// Whether it can stand in a manifest without quotes: no path, no blanks, not empty.
bool IsPlainFileName(std::string_view name);

}  // namespace mikura::engine
