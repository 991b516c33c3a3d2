// SPDX-License-Identifier: Apache-2.0
// MIGRATE: moves keys to another node. The client waits; nothing else does (migration.h).
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/migration.h"

namespace mikura::engine {
namespace {

struct MigrateOption {
  std::string_view name;
  size_t operands;
};
constexpr MigrateOption kMigrateOptions[] = {
    {"COPY", 0}, {"REPLACE", 0}, {"AUTH", 1}, {"AUTH2", 2}};

const MigrateOption* FindOption(std::string_view word) {
  for (const MigrateOption& option : kMigrateOptions) {
    if (EqualsIgnoreCase(word, option.name)) return &option;
  }
  return nullptr;
}

// The word behind KEYS; 0 when there is none.
size_t FirstListedKey(std::span<const std::string_view> args) {
  for (size_t i = 6; i < args.size(); ++i) {
    if (EqualsIgnoreCase(args[i], "KEYS")) return i + 1;
    if (const MigrateOption* const option = FindOption(args[i])) i += option->operands;
  }
  return 0;
}

void FindMigrateKeys(std::span<const std::string_view> args, std::vector<KeyPlace>& places) {
  const size_t first = FirstListedKey(args);
  if (first == 0) return places.push_back({3, 0});
  if (!args[3].empty()) return;
  for (size_t i = first; i < args.size(); ++i) places.push_back({static_cast<uint32_t>(i), 1});
}

// The options. False after an error reply.
bool ParseOptions(CommandContext& ctx, MigrationPlan& plan) {
  const auto refuse = [&](std::string_view text) {
    ctx.reply.Error("ERR", text);
    return false;
  };
  for (size_t i = 6; i < ctx.args.size(); ++i) {
    const std::string_view word = ctx.args[i];
    if (EqualsIgnoreCase(word, "KEYS")) {
      if (ctx.args[3].empty()) return true;
      return refuse(
          "When using MIGRATE KEYS option, the key argument must be set to the empty string");
    }
    const MigrateOption* const option = FindOption(word);
    if (option == nullptr || ctx.args.size() - i - 1 < option->operands) {
      return refuse("syntax error");
    }
    plan.copies = plan.copies || option->name == "COPY";
    plan.replaces = plan.replaces || option->name == "REPLACE";
    if (option->operands > 0) plan.login = {"AUTH"};
    for (size_t operand = 0; operand < option->operands; ++operand) {
      plan.login.emplace_back(ctx.args[++i]);
    }
  }
  return true;
}

// The rest of the plan. Errors: kNotAnInteger.
FaultOr<> FillPlan(CommandContext& ctx, MigrationPlan& plan) {
  constexpr int64_t kTimeoutMax = 24LL * 3600 * 1000;
  ASSIGN_OR_RETURN(const int64_t timeout, ToInteger(ctx.args[5]));
  ASSIGN_OR_RETURN(plan.database, ToInteger(ctx.args[4]));
  plan.timeout = milliseconds(timeout <= 0 ? 1000 : std::min(timeout, kTimeoutMax));
  plan.host = ctx.args[1];
  const std::optional<int64_t> port = ParseInt64(ctx.args[2]);
  plan.port = port && *port > 0 && *port <= UINT16_MAX ? static_cast<int>(*port) : 0;
  plan.source_database = ctx.keys.database();
  for (const Key& key : ctx.key_list) {
    if (ctx.keys.Find(key)) plan.keys.emplace_back(key.name);
  }
  return Ok();
}

// MIGRATE host port key | "" destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2
// username password] [KEYS key ...]
FaultOr<> Migrate(CommandContext& ctx) {
  MigrationPlan plan;
  if (!ParseOptions(ctx, plan)) return Ok();
  RETURN_IF_ERROR(FillPlan(ctx, plan));
  if (plan.keys.empty()) {
    ctx.reply.Simple("NOKEY");
    return Ok();
  }
  if (!ctx.may_wait || ctx.services.migrations == nullptr) {
    ctx.reply.Error("ERR", "MIGRATE has to wait, which a transaction or a script cannot");
    return Ok();
  }
  const auto client = WaitForJob(ctx, "the client was unblocked; the migration goes on");
  ctx.services.migrations->Start(
      std::make_shared<Migration>(std::move(plan), ctx.keyspace, ctx.services, client));
  return Ok();
}

constexpr KeySpec kMigrateKeys[] = {
    KeysInRange("RW access delete", 3, 3),
    {.access = "RW access delete incomplete", .keyword = "KEYS", .keyword_from = -2, .last = -1},
};

constexpr CommandSpec kMigrateCommands[] = {
    {.name = "MIGRATE",
     .handler = Migrate,
     .arity = AtLeast(6),
     .keys = OneKeyAt(3),
     .flags = kWrite | kMovableKeys | kMayWait,
     .acl = kAclKeyspace | kAclDangerous,
     .group = "generic",
     .since = "2.6.0",
     .summary = "Moves keys to another node.",
     .tips = "nondeterministic_output",
     .key_specs = kMigrateKeys,
     .find_keys = FindMigrateKeys},
};

}  // namespace

std::span<const CommandSpec> MigrateCommands() { return kMigrateCommands; }

}  // namespace mikura::engine
