// SPDX-License-Identifier: Apache-2.0
// Commands on one set, and SMOVE.
#include "engine/collections/set_value.h"
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/long_read.h"
#include "engine/commands/long_reply.h"
#include "engine/commands/prepared_edit.h"
#include "engine/commands/scan_options.h"
#include "engine/commands/set_random_commands.h"
#include "engine/commands/set_support.h"

namespace mikura::engine {
namespace {

using collections::SetValue;
using Words = std::span<const std::string_view>;

int64_t AddMembers(SetValue& set, Words args, const EncodingLimits& limits) {
  int64_t added = 0;
  for (const std::string_view member : args.subspan(2)) added += set.Add(member) ? 1 : 0;
  if (added > 0) ApplySetLimits(limits, set);
  return added;
}

FaultOr<> FinishAdd(CommandContext& ctx, SetEdit& set, int64_t added) {
  ctx.reply.Integer(added);
  if (added == 0) return Ok();
  const FaultOr<bool> stored = set.Commit();
  if (!stored.ok()) return stored.error();
  ctx.keys.effects().Add(ctx.keys.database(), ctx.args);
  ctx.keys.Notify(EventClass::kSet, "sadd", ctx.key_list[0]);
  return Ok();
}

FaultOr<> SAdd(CommandContext& ctx) {
  if (HasManyWords(ctx)) [[unlikely]]
    return EditPrepared<SetValue, int64_t>(ctx, AddMembers, FinishAdd);
  ASSIGN_OR_RETURN(SetEdit && set, ctx.keys.Edit<SetValue>(ctx.key_list[0]));
  return FinishAdd(ctx, set, AddMembers(*set, ctx.args, ctx.services.encoding_limits));
}

int64_t RemoveMembers(SetValue& set, Words args, const EncodingLimits&) {
  int64_t removed = 0;
  for (const std::string_view member : args.subspan(2)) removed += set.Erase(member) ? 1 : 0;
  return removed;
}

FaultOr<> FinishRemoval(CommandContext& ctx, SetEdit& set, int64_t removed) {
  ctx.reply.Integer(removed);
  if (removed == 0) return Ok();
  ASSIGN_OR_RETURN(const bool key_is_gone, set.Commit());
  ctx.keys.effects().Add(ctx.keys.database(), ctx.args);
  NotifyRemoval(ctx, ctx.key_list[0], "srem", key_is_gone);
  return Ok();
}

FaultOr<> SRem(CommandContext& ctx) {
  if (HasManyWords(ctx)) [[unlikely]]
    return EditPrepared<SetValue, int64_t>(ctx, RemoveMembers, FinishRemoval);
  ASSIGN_OR_RETURN(SetEdit && set, ctx.keys.Edit<SetValue>(ctx.key_list[0]));
  return FinishRemoval(ctx, set, RemoveMembers(*set, ctx.args, ctx.services.encoding_limits));
}

FaultOr<> SIsMember(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const SetView& set, ctx.keys.View<SetValue>(ctx.key_list[0]));
  ctx.reply.Integer(set && set->Contains(ctx.args[2]) ? 1 : 0);
  return Ok();
}

FaultOr<> SMIsMember(CommandContext& ctx) {
  return ReplyForNames<SetValue>(
      ctx, [](wire::RespWriter& reply, const SetValue* set, std::string_view member) {
        reply.Integer(set != nullptr && set->Contains(member) ? 1 : 0);
      });
}

FaultOr<> SCard(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const SetView& set, ctx.keys.View<SetValue>(ctx.key_list[0]));
  ctx.reply.Integer(set ? static_cast<int64_t>(set->size()) : 0);
  return Ok();
}

FaultOr<> SMembers(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const SetView& set, ctx.keys.View<SetValue>(ctx.key_list[0]));
  ctx.reply.Set(set ? set->size() : 0);
  if (!set) return Ok();
  const auto make_walk = [&](const SetValue& copy) {
    return RangeWalk(SetValue::Cursor(copy), copy.size(), ReplySetMember);
  };
  if (ReplyLater(ctx.keys, ctx.reply, *set, set->size(), make_walk)) return Ok();
  for (SetValue::Cursor c(*set); !c.at_end(); c.Next()) ctx.reply.Bulk(c.element());
  return Ok();
}

// SMOVE source destination member -> whether it was moved.
FaultOr<> SMove(CommandContext& ctx) {
  const Key& from = ctx.key_list[0];
  const Key& to = ctx.key_list[1];
  const std::string_view member = ctx.args[3];
  ASSIGN_OR_RETURN(const SetView& source, ctx.keys.View<SetValue>(from));
  if (!source) {
    ctx.reply.Integer(0);
    return Ok();
  }
  ASSIGN_OR_RETURN(const SetView& destination, ctx.keys.View<SetValue>(to));
  const bool is_there = source->Contains(member);
  const bool is_new = !destination || !destination->Contains(member);
  ctx.reply.Integer(is_there ? 1 : 0);
  if (!is_there || from.name == to.name) return Ok();
  ASSIGN_OR_RETURN(SetEdit && less, ctx.keys.Edit<SetValue>(from));
  less->Erase(member);
  ASSIGN_OR_RETURN(const bool key_is_gone, less.Commit());
  NotifyRemoval(ctx, from, "srem", key_is_gone);
  AddEffect(ctx, {"SREM", from.name, member});
  if (!is_new) return Ok();
  ASSIGN_OR_RETURN(SetEdit && more, ctx.keys.Edit<SetValue>(to));
  more->Add(member);
  ApplySetLimits(ctx, *more);
  RETURN_IF_ERROR(more.Commit());
  AddEffect(ctx, {"SADD", to.name, member});
  ctx.keys.Notify(EventClass::kSet, "sadd", to);
  return Ok();
}

// SSCAN key cursor [MATCH pattern] [COUNT n] -> the next cursor, and members. One that is there
// during a whole iteration is returned at least once.
FaultOr<> SScan(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const uint64_t cursor, ParseScanCursor(ctx.args[2]));
  ASSIGN_OR_RETURN(const SetView& set, ctx.keys.View<SetValue>(ctx.key_list[0]));
  ScanReply reply;
  if (!set) {
    reply.Write(ctx.reply, 0);
    return Ok();
  }
  ASSIGN_OR_RETURN(const ScanOptions options,
                   ParseScanOptions(ScanKind::kElements, ctx.args.subspan(3)));
  const uint64_t next =
      set->Scan(cursor, static_cast<uint64_t>(options.count), [&](std::string_view member) {
        if (options.Matches(member)) reply.Add(member);
      });
  reply.Write(ctx.reply, next);
  return Ok();
}

constexpr CommandSpec Row(std::string_view name, CommandHandler handler, Arity arity,
                          uint32_t flags, std::string_view since, std::string_view summary,
                          std::string_view access, std::string_view tips = {}) {
  return {.name = name,
          .handler = handler,
          .arity = arity,
          .keys = OneKeyAt(1),
          .flags = flags,
          .acl = kAclSet,
          .group = "set",
          .since = since,
          .summary = summary,
          .tips = tips,
          .key_access = access};
}

constexpr CommandSpec kCommands[] = {
    Row("SADD", SAdd, AtLeast(3), kWrite | kDenyOom | kFast, "1.0.0", "Adds members to a set.",
        "RW insert"),
    Row("SREM", SRem, AtLeast(3), kWrite | kFast, "1.0.0", "Removes members from a set.",
        "RW delete"),
    Row("SISMEMBER", SIsMember, Exactly(3), kReadOnly | kFast, "1.0.0",
        "Tells whether a set has a member.", "RO"),
    Row("SMISMEMBER", SMIsMember, AtLeast(3), kReadOnly | kFast, "6.2.0",
        "Tells which of several members a set has.", "RO access"),
    Row("SCARD", SCard, Exactly(2), kReadOnly | kFast, "1.0.0", "Counts the members of a set.",
        "RO"),
    Row("SMEMBERS", SMembers, Exactly(2), kReadOnly, "1.0.0", "Returns all members of a set.",
        "RO access", "nondeterministic_output_order"),
    Row("SPOP", SPop, AtLeast(2), kWrite | kFast, "1.0.0", "Removes and returns random members.",
        "RW access delete", "nondeterministic_output"),
    Row("SRANDMEMBER", SRandMember, AtLeast(2), kReadOnly, "1.0.0", "Returns random members.",
        "RO access", "nondeterministic_output"),
    Row("SSCAN", SScan, AtLeast(3), kReadOnly, "2.8.0", "Iterates over the members of a set.",
        "RO access", "nondeterministic_output"),
    {.name = "SMOVE",
     .handler = SMove,
     .arity = Exactly(4),
     .keys = KeysFrom(1, 2, 1),
     .flags = kWrite | kFast,
     .acl = kAclSet,
     .group = "set",
     .since = "1.0.0",
     .summary = "Moves a member from one set to another.",
     .key_access = "RW access delete;RW insert"},
};

}  // namespace

std::span<const CommandSpec> SetCommands() { return kCommands; }

}  // namespace mikura::engine
