// SPDX-License-Identifier: Apache-2.0
// Prints the command table for docs/commands.md: name, group, version, summary, one row a line.
#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "engine/commands/command_table.h"

namespace mikura::engine {
namespace {

void Print(std::string_view name, std::string_view group, const CommandSpec& spec) {
  fmt::print("{}\t{}\t{}\t{}\n", name, group, spec.since, spec.summary);
}

void PrintAll() {
  const CommandTable table;
  for (const CommandSpec* const spec : table.All()) {
    Print(spec->name, spec->group, *spec);
    for (const CommandSpec& sub : spec->subcommands) {
      Print(fmt::format("{} {}", spec->name, sub.name), spec->group, sub);
    }
  }
}

}  // namespace
}  // namespace mikura::engine

int main() {
  mikura::engine::PrintAll();
  return 0;
}
