// SPDX-License-Identifier: Apache-2.0
// Commands that copy or move a value to another key or database. What lies beside the value (its
// deadline, a memcached client's block) goes with it.
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"

namespace mikura::engine {
namespace {

// RENAME and RENAMENX; `replace` says whether the new name may be taken.
FaultOr<> Rename(CommandContext& ctx, bool replace) {
  const Key& from = ctx.key_list[0];
  const Key& to = ctx.key_list[1];
  const store::Found source = ctx.keys.Find(from);
  if (!source) return Fault::kNoSuchKey;
  const bool same = from.name == to.name;
  if (!replace && (same || ctx.keys.Find(to))) {
    ctx.reply.Integer(0);
    return Ok();
  }
  if (!same) {
    // Found again: looking at the other key may have removed it, expired, from the same shard.
    const store::Found current = ctx.keys.Find(from);
    RETURN_IF_ERROR(ctx.keys.CopyFrom(current.entry, to, current.entry.deadline()));
    ctx.keys.Erase(from);
    AddEffect(ctx, {"RENAME", from.name, to.name});
    ctx.keys.Notify(EventClass::kGeneric, "rename_from", from);
    ctx.keys.Notify(EventClass::kGeneric, "rename_to", to);
  }
  if (replace) {
    ctx.reply.Ok();
  } else {
    ctx.reply.Integer(1);
  }
  return Ok();
}

FaultOr<> RenameAlways(CommandContext& ctx) { return Rename(ctx, true); }
FaultOr<> RenameNx(CommandContext& ctx) { return Rename(ctx, false); }

// COPY source destination [DB n] [REPLACE] -> 1, or 0 when the source is absent or the destination
// taken.
FaultOr<> Copy(CommandContext& ctx) {
  int database = ctx.keys.database();
  bool replace = false;
  for (size_t i = 3; i < ctx.args.size(); ++i) {
    if (EqualsIgnoreCase(ctx.args[i], "REPLACE")) {
      replace = true;
    } else if (EqualsIgnoreCase(ctx.args[i], "DB") && i + 1 < ctx.args.size()) {
      ASSIGN_OR_RETURN(database, DatabaseNumber(ctx, ctx.args[++i]));
    } else {
      return Fault::kSyntax;
    }
  }
  const Key& from = ctx.key_list[0];
  const Key& to = ctx.key_list[1];
  if (from.name == to.name && database == ctx.keys.database()) return Fault::kSameObject;
  KeyAccess destination = ctx.keys.InDatabase(database);
  const bool taken = static_cast<bool>(destination.Peek(to));
  const store::Found source = ctx.keys.Find(from);
  if (!source) ctx.keys.NotifyMiss(from);
  if (!source || (taken && !replace)) {
    ctx.reply.Integer(0);
    return Ok();
  }
  RETURN_IF_ERROR(destination.CopyFrom(source.entry, to, source.entry.deadline()));
  destination.Notify(EventClass::kGeneric, "copy_to", to);
  AddEffect(ctx, {"COPY", from.name, to.name, "DB", NumberText(database), "REPLACE"});
  ctx.reply.Integer(1);
  return Ok();
}

// MOVE key database -> 1, or 0 when the key is absent here or present there.
FaultOr<> Move(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const int database, DatabaseNumber(ctx, ctx.args[2]));
  if (database == ctx.keys.database()) return Fault::kSameObject;
  const Key& key = ctx.key_list[0];
  KeyAccess destination = ctx.keys.InDatabase(database);
  const bool taken = static_cast<bool>(destination.Peek(key));
  const store::Found source = ctx.keys.Find(key);
  if (!source || taken) {
    ctx.reply.Integer(0);
    return Ok();
  }
  RETURN_IF_ERROR(destination.CopyFrom(source.entry, key, source.entry.deadline()));
  ctx.keys.Erase(key);
  ctx.keys.Notify(EventClass::kGeneric, "move_from", key);
  destination.Notify(EventClass::kGeneric, "move_to", key);
  AddEffect(ctx, {"MOVE", key.name, NumberText(database)});
  ctx.reply.Integer(1);
  return Ok();
}

constexpr CommandSpec kRenameCommands[] = {
    {.name = "RENAME",
     .handler = RenameAlways,
     .arity = Exactly(3),
     .keys = KeysFrom(1, 2, 1),
     .flags = kWrite,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "1.0.0",
     .summary = "Gives a key another name, whatever had it.",
     .key_access = "RW access delete;OW update"},
    {.name = "RENAMENX",
     .handler = RenameNx,
     .arity = Exactly(3),
     .keys = KeysFrom(1, 2, 1),
     .flags = kWrite | kFast,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "1.0.0",
     .summary = "Gives a key another name that is free.",
     .key_access = "RW access delete;OW insert"},
    {.name = "COPY",
     .handler = Copy,
     .arity = AtLeast(3),
     .keys = KeysFrom(1, 2, 1),
     .flags = kWrite | kDenyOom,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "6.2.0",
     .summary = "Copies a value to another key, or to another database.",
     .key_access = "RO access;OW update"},
    {.name = "MOVE",
     .handler = Move,
     .arity = Exactly(3),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "1.0.0",
     .summary = "Moves a key to another database.",
     .key_access = "RW access update"},
};

}  // namespace

std::span<const CommandSpec> RenameCommands() { return kRenameCommands; }

}  // namespace mikura::engine
