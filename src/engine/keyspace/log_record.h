// SPDX-License-Identifier: Apache-2.0
// What is appended to the change log at once.
#pragma once

#include <string>
#include <string_view>

namespace mikura::engine {

// Whole commands, and the database they need selected before them. Those in further databases carry
// their SELECTs.
struct LogRecord {
  static constexpr int kNoDatabase = -1;

  std::string_view bytes;
  int first_database = kNoDatabase;  // none: for commands that concern no database (PING)
  int last_database = kNoDatabase;   // selected when the record was executed; none: as before
};

// Appends the command that selects `database`.
void AppendSelect(std::string& out, int database);

}  // namespace mikura::engine
