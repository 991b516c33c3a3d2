// SPDX-License-Identifier: Apache-2.0
// COMMAND: the commands themselves, from their rows.
#include <algorithm>
#include <vector>

#include "engine/commands/command_description.h"
#include "engine/commands/command_families.h"
#include "engine/commands/command_keys.h"
#include "engine/commands/command_support.h"
#include "engine/commands/command_table.h"
#include "engine/commands/subcommand_help.h"
#include "wire/glob.h"

namespace mikura::engine {
namespace {

// The row of "get" or "config|get"; null when there is none.
const CommandSpec* FindByFullName(const CommandTable& table, std::string_view name) {
  const size_t bar = name.find('|');
  const CommandSpec* command = table.Find(name.substr(0, bar));
  if (command == nullptr || bar == std::string_view::npos) return command;
  return table.FindSubcommand(*command, name.substr(bar + 1));
}

FaultOr<> Command(CommandContext& ctx) {
  ctx.reply.Array(ctx.table.All().size());
  for (const CommandSpec* spec : ctx.table.All()) WriteCommandInfo(*spec, ctx.reply);
  return Ok();
}

FaultOr<> CommandCount(CommandContext& ctx) {
  ctx.reply.Integer(static_cast<int64_t>(ctx.table.All().size()));
  return Ok();
}

FaultOr<> CommandInfo(CommandContext& ctx) {
  if (ctx.args.size() == 2) return Command(ctx);
  ctx.reply.Array(ctx.args.size() - 2);
  for (const std::string_view name : ctx.args.subspan(2)) {
    const CommandSpec* spec = FindByFullName(ctx.table, name);
    if (spec != nullptr) {
      WriteCommandInfo(*spec, ctx.reply);
    } else {
      ctx.reply.Null();
    }
  }
  return Ok();
}

// COMMAND DOCS [name ...]: unknown names are left out.
FaultOr<> CommandDocs(CommandContext& ctx) {
  std::vector<const CommandSpec*> specs(ctx.table.All().begin(), ctx.table.All().end());
  if (ctx.args.size() > 2) {
    specs.clear();
    for (const std::string_view name : ctx.args.subspan(2)) {
      const CommandSpec* spec = FindByFullName(ctx.table, name);
      if (spec != nullptr) specs.push_back(spec);
    }
  }
  ctx.reply.Map(specs.size());
  for (const CommandSpec* spec : specs) WriteCommandDocs(*spec, ctx.reply);
  return Ok();
}

// COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern] -> names, of subcommands
// too.
FaultOr<> CommandList(CommandContext& ctx) {
  std::string_view filter;
  std::string_view value;
  if (ctx.args.size() == 5 && EqualsIgnoreCase(ctx.args[2], "FILTERBY")) {
    filter = ctx.args[3];
    value = ctx.args[4];
  } else if (ctx.args.size() != 2) {
    return Fault::kSyntax;
  }
  const bool by_module = EqualsIgnoreCase(filter, "MODULE");
  const bool by_category = EqualsIgnoreCase(filter, "ACLCAT");
  const bool by_pattern = EqualsIgnoreCase(filter, "PATTERN");
  if (!filter.empty() && !by_module && !by_category && !by_pattern) return Fault::kSyntax;
  std::vector<std::string> names;
  const auto add = [&](const CommandSpec& spec) {
    const std::string name = FullName(spec);
    if (by_module) return;
    if (by_pattern && !wire::GlobMatch(value, name, wire::GlobCase::kInsensitive)) return;
    if (by_category) {
      const std::vector<std::string_view> categories = CategoryNames(spec);
      const bool has = std::any_of(categories.begin(), categories.end(), [&](std::string_view c) {
        return EqualsIgnoreCase(c.substr(1), value);
      });
      if (!has) return;
    }
    names.push_back(name);
  };
  for (const CommandSpec* spec : ctx.table.All()) {
    add(*spec);
    for (const CommandSpec& subcommand : spec->subcommands) {
      if (ctx.table.FindSubcommand(*spec, subcommand.name) != nullptr) add(subcommand);
    }
  }
  ctx.reply.Array(names.size());
  for (const std::string& name : names) ctx.reply.Bulk(name);
  return Ok();
}

// A command line inside COMMAND GETKEYS: its row and the places of its keys. Nullopt after an error
// reply.
struct LineKeys {
  const CommandSpec* spec;
  std::vector<KeyPlace> places;
};

std::optional<LineKeys> KeysOfLine(CommandContext& ctx) {
  const std::span<const std::string_view> line = ctx.args.subspan(2);
  const CommandSpec* spec = ctx.table.Find(line[0]);
  if (spec != nullptr && !spec->subcommands.empty() && line.size() > 1) {
    spec = ctx.table.FindSubcommand(*spec, line[1]);
  }
  if (spec == nullptr) {
    ctx.reply.Error("ERR", "Invalid command specified");
    return std::nullopt;
  }
  if (!spec->may_have_keys()) {
    ctx.reply.Error("ERR", "The command has no key arguments");
    return std::nullopt;
  }
  if (!spec->arity.Accepts(line.size())) {
    ctx.reply.Error("ERR", "Invalid number of arguments specified for command");
    return std::nullopt;
  }
  LineKeys found{spec, {}};
  FindKeyPlaces(*spec, line, found.places);
  if (found.places.empty() && (spec->flags & kNoMandatoryKeys) == 0) {
    ctx.reply.Error("ERR", "The command has no key arguments");
    return std::nullopt;
  }
  return found;
}

FaultOr<> CommandGetKeys(CommandContext& ctx) {
  const std::optional<LineKeys> found = KeysOfLine(ctx);
  if (!found) return Ok();
  ctx.reply.Array(found->places.size());
  for (const KeyPlace& place : found->places) ctx.reply.Bulk(ctx.args[2 + place.word]);
  return Ok();
}

// What `line` does to its key number `key`. A row with variable flags reads the key with GET only.
std::vector<std::string_view> AccessIn(std::span<const std::string_view> line,
                                       const CommandSpec& spec, size_t key) {
  std::vector<std::string_view> access = KeyAccessNames(spec, key);
  if (access.empty() || access.back() != "variable_flags") return access;
  const bool reads = std::any_of(line.begin() + 3, line.end(), [](std::string_view word) {
    return EqualsIgnoreCase(word, "GET");
  });
  if (reads) return {"RW", "access", "update"};
  return {"OW", "update"};
}

FaultOr<> CommandGetKeysAndFlags(CommandContext& ctx) {
  const std::optional<LineKeys> found = KeysOfLine(ctx);
  if (!found) return Ok();
  ctx.reply.Array(found->places.size());
  for (const KeyPlace& place : found->places) {
    ctx.reply.Array(2);
    ctx.reply.Bulk(ctx.args[2 + place.word]);
    const std::vector<std::string_view> access =
        AccessIn(ctx.args.subspan(2), *found->spec, place.spec);
    ctx.reply.Set(access.size());
    for (const std::string_view name : access) ctx.reply.Simple(name);
  }
  return Ok();
}

constexpr uint32_t kFlags = kLoadingOk | kStaleOk;
constexpr std::string_view kOrderTip = "nondeterministic_output_order";

constexpr CommandSpec kCommandSubcommands[] = {
    {.name = "COUNT",
     .handler = CommandCount,
     .arity = Exactly(2),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "server",
     .since = "2.8.13",
     .summary = "Returns the number of commands.",
     .parent = "COMMAND"},
    {.name = "INFO",
     .handler = CommandInfo,
     .arity = AtLeast(2),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "server",
     .since = "2.8.13",
     .summary = "Returns what the server knows of commands.",
     .tips = kOrderTip,
     .parent = "COMMAND"},
    {.name = "DOCS",
     .handler = CommandDocs,
     .arity = AtLeast(2),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "server",
     .since = "7.0.0",
     .summary = "Returns what commands are for.",
     .tips = kOrderTip,
     .parent = "COMMAND"},
    {.name = "LIST",
     .handler = CommandList,
     .arity = AtLeast(2),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "server",
     .since = "7.0.0",
     .summary = "Returns the names of commands.",
     .tips = kOrderTip,
     .parent = "COMMAND"},
    {.name = "GETKEYS",
     .handler = CommandGetKeys,
     .arity = AtLeast(4),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "server",
     .since = "2.8.13",
     .summary = "Returns the keys of a command line.",
     .parent = "COMMAND"},
    {.name = "GETKEYSANDFLAGS",
     .handler = CommandGetKeysAndFlags,
     .arity = AtLeast(4),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "server",
     .since = "7.0.0",
     .summary = "Returns the keys of a command line, and what is done to them.",
     .parent = "COMMAND"},
    {.name = "HELP",
     .handler = SubcommandHelp,
     .arity = Exactly(2),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "server",
     .since = "5.0.0",
     .summary = "Lists the subcommands.",
     .parent = "COMMAND"},
};

constexpr CommandSpec kIntrospectionCommands[] = {
    {.name = "COMMAND",
     .handler = Command,
     .arity = AtLeast(1),
     .flags = kFlags,
     .acl = kAclConnection,
     .group = "server",
     .since = "2.8.13",
     .summary = "Returns what the server knows of all commands.",
     .tips = kOrderTip,
     .subcommands = kCommandSubcommands},
};

}  // namespace

std::span<const CommandSpec> IntrospectionCommands() { return kIntrospectionCommands; }

}  // namespace mikura::engine
