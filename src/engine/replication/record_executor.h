// SPDX-License-Identifier: Apache-2.0
// Runs what a primary sent. Declared here, implemented in engine/commands, so that replication
// knows no command.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/collections/collection.h"

namespace mikura::engine {

using CommandWords = std::span<const std::string_view>;

class RecordExecutor {
 public:
  virtual ~RecordExecutor() = default;
  // Runs the commands of one record as one step: with the shards of all of them locked. `database`
  // is the selected one; SELECT changes it.
  // Errors: a command that this node does not have, or that fails; those before it have been run.
  virtual Status Execute(std::span<const CommandWords> commands, int& database) = 0;
  // A full copy has these libraries of functions (source texts), and no others.
  virtual Status ReplaceLibraries(std::span<const std::string> codes) = 0;
  // What is to be done with a collection of a full copy before it is stored; rdb_type: as it came.
  virtual void GiveForm(collections::Collection& /*value*/, uint8_t /*rdb_type*/) {}
};

}  // namespace mikura::engine
