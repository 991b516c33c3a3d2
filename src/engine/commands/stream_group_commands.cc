// SPDX-License-Identifier: Apache-2.0
// XGROUP: consumer groups and their consumers.
#include "engine/commands/command_families.h"
#include "engine/commands/stream_support.h"
#include "engine/commands/subcommand_help.h"
#include "engine/keyspace/waiter_table.h"

namespace mikura::engine {
namespace {

constexpr std::string_view kKeyMissing =
    "The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the "
    "MKSTREAM option to create an empty stream automatically.";

// The words behind the id of CREATE and SETID.
struct GroupOptions {
  bool may_create = false;
  int64_t entries_read = StreamGroup::kNotKnown;
};

// Nullopt after an error reply. Errors: kNotAnInteger.
FaultOr<std::optional<GroupOptions>> ParseGroupOptions(CommandContext& ctx, bool is_create) {
  GroupOptions options;
  const size_t words_max = is_create ? 8 : 7;
  if (ctx.args.size() > words_max) {
    ReplySubcommandSyntax(ctx);
    return std::optional<GroupOptions>();
  }
  for (size_t at = 5; at < ctx.args.size(); ++at) {
    if (is_create && EqualsIgnoreCase(ctx.args[at], "MKSTREAM")) {
      options.may_create = true;
    } else if (EqualsIgnoreCase(ctx.args[at], "ENTRIESREAD") && at + 1 < ctx.args.size()) {
      ASSIGN_OR_RETURN(options.entries_read, ToInteger(ctx.args[++at]));
      if (options.entries_read < StreamGroup::kNotKnown) {
        ctx.reply.Error("ERR", "value for ENTRIESREAD must be positive or -1");
        return std::optional<GroupOptions>();
      }
    } else {
      ReplySubcommandSyntax(ctx);
      return std::optional<GroupOptions>();
    }
  }
  return std::optional<GroupOptions>(options);
}

// The group that the words name, or null after an error reply.
StreamGroup* NamedGroup(CommandContext& ctx, StreamEdit& stream) {
  if (!stream.existed()) {
    ctx.reply.Error("ERR", kKeyMissing);
    return nullptr;
  }
  StreamGroup* const group = stream->FindGroup(ctx.args[3]);
  if (group == nullptr) ReplyNoGroupOfKey(ctx.reply, ctx.key_list[0].name, ctx.args[3]);
  return group;
}

void AddCreateEffect(CommandContext& ctx, StreamId id, int64_t entries_read, bool is_new_key) {
  std::vector<std::string_view> words = {"XGROUP", "CREATE", ctx.args[2], ctx.args[3]};
  const StreamIdText id_text(id);
  const NumberText entries(entries_read);
  words.insert(words.end(), {id_text, "ENTRIESREAD", entries});
  if (is_new_key) words.emplace_back("MKSTREAM");
  ctx.keys.effects().Add(ctx.keys.database(), words);
}

// XGROUP CREATE key group id | $ [MKSTREAM] [ENTRIESREAD n]
FaultOr<> XGroupCreate(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const std::optional<GroupOptions> options, ParseGroupOptions(ctx, true));
  if (!options) return Ok();
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(StreamEdit && stream, ctx.keys.Edit<StreamValue>(key));
  if (!stream.existed() && !options->may_create) {
    ctx.reply.Error("ERR", kKeyMissing);
    return Ok();
  }
  StreamId id = stream->last_id();
  if (ctx.args[4] != "$") {
    ASSIGN_OR_RETURN(id, ToStreamId(ctx.args[4]));
  }
  if (stream->FindGroup(ctx.args[3]) != nullptr) {
    ctx.reply.Error("BUSYGROUP", "Consumer Group name already exists");
    return Ok();
  }
  const bool is_new_key = !stream.existed();
  stream->AddGroup(ctx.args[3], id, options->entries_read);
  RETURN_IF_ERROR(stream.CommitUnobserved());
  if (is_new_key) ctx.keys.Touched(key);
  AddCreateEffect(ctx, id, options->entries_read, is_new_key);
  ctx.keys.Notify(EventClass::kStream, "xgroup-create", key);
  ctx.reply.Ok();
  return Ok();
}

// XGROUP SETID key group id | $ [ENTRIESREAD n]
FaultOr<> XGroupSetId(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const std::optional<GroupOptions> options, ParseGroupOptions(ctx, false));
  if (!options) return Ok();
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(StreamEdit && stream, ctx.keys.Edit<StreamValue>(key));
  StreamGroup* const group = NamedGroup(ctx, stream);
  if (group == nullptr) return Ok();
  StreamId id = stream->last_id();
  if (ctx.args[4] != "$") {
    ASSIGN_OR_RETURN(id, ToAnyStreamId(ctx.args[4], 0));
  }
  group->set_last_id(id);
  group->set_entries_read(options->entries_read);
  AddGroupPositionEffect(ctx.keys, key, *group);
  RETURN_IF_ERROR(stream.CommitUnobserved());
  ctx.keys.Notify(EventClass::kStream, "xgroup-setid", key);
  ctx.reply.Ok();
  return Ok();
}

// XGROUP DESTROY key group -> 1, or 0 when there is none. Who waits in it is told.
FaultOr<> XGroupDestroy(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(StreamEdit && stream, ctx.keys.Edit<StreamValue>(key));
  if (!stream.existed()) {
    ctx.reply.Error("ERR", kKeyMissing);
    return Ok();
  }
  const bool removed = stream->RemoveGroup(ctx.args[3]);
  ctx.reply.Integer(removed ? 1 : 0);
  if (!removed) return Ok();
  AddEffect(ctx, {"XGROUP", "DESTROY", key.name, ctx.args[3]});
  RETURN_IF_ERROR(stream.CommitUnobserved());
  ctx.keyspace.waiters().OnTouched(ctx.keys.database(), key);
  ctx.keys.Notify(EventClass::kStream, "xgroup-destroy", key);
  return Ok();
}

// XGROUP CREATECONSUMER key group consumer -> 1, or 0 when it is there.
FaultOr<> XGroupCreateConsumer(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(StreamEdit && stream, ctx.keys.Edit<StreamValue>(key));
  StreamGroup* const group = NamedGroup(ctx, stream);
  if (group == nullptr) return Ok();
  const bool is_new = !group->FindConsumer(ctx.args[4]);
  ctx.reply.Integer(is_new ? 1 : 0);
  if (!is_new) return Ok();
  EnsureConsumer(ctx.keys, key, *group, ctx.args[4], false);
  AddEffect(ctx, {"XGROUP", "CREATECONSUMER", key.name, ctx.args[3], ctx.args[4]});
  return stream.CommitUnobserved();
}

// XGROUP DELCONSUMER key group consumer -> how many entries were pending for it.
FaultOr<> XGroupDelConsumer(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(StreamEdit && stream, ctx.keys.Edit<StreamValue>(key));
  StreamGroup* const group = NamedGroup(ctx, stream);
  if (group == nullptr) return Ok();
  const std::optional<StreamConsumer> consumer = group->FindConsumer(ctx.args[4]);
  if (!consumer) {
    ctx.reply.Integer(0);
    return Ok();
  }
  ctx.reply.Integer(static_cast<int64_t>(group->RemoveConsumer(consumer->number)));
  AddEffect(ctx, {"XGROUP", "DELCONSUMER", key.name, ctx.args[3], ctx.args[4]});
  RETURN_IF_ERROR(stream.CommitUnobserved());
  ctx.keys.Notify(EventClass::kStream, "xgroup-delconsumer", key);
  return Ok();
}

constexpr CommandSpec kXGroupSubcommands[] = {
    {.name = "CREATE",
     .handler = XGroupCreate,
     .arity = AtLeast(5),
     .keys = OneKeyAt(2),
     .flags = kWrite | kDenyOom,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Makes a consumer group.",
     .key_access = "RW insert",
     .parent = "XGROUP"},
    {.name = "SETID",
     .handler = XGroupSetId,
     .arity = AtLeast(5),
     .keys = OneKeyAt(2),
     .flags = kWrite,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Sets how far a consumer group has read.",
     .key_access = "RW update",
     .parent = "XGROUP"},
    {.name = "DESTROY",
     .handler = XGroupDestroy,
     .arity = Exactly(4),
     .keys = OneKeyAt(2),
     .flags = kWrite,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Removes a consumer group.",
     .key_access = "RW delete",
     .parent = "XGROUP"},
    {.name = "CREATECONSUMER",
     .handler = XGroupCreateConsumer,
     .arity = Exactly(5),
     .keys = OneKeyAt(2),
     .flags = kWrite | kDenyOom,
     .acl = kAclStream,
     .group = "stream",
     .since = "6.2.0",
     .summary = "Makes a consumer in a group.",
     .key_access = "RW insert",
     .parent = "XGROUP"},
    {.name = "DELCONSUMER",
     .handler = XGroupDelConsumer,
     .arity = Exactly(5),
     .keys = OneKeyAt(2),
     .flags = kWrite,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Removes a consumer of a group, and what is pending for it.",
     .key_access = "RW delete",
     .parent = "XGROUP"},
    {.name = "HELP",
     .handler = SubcommandHelp,
     .arity = Exactly(2),
     .flags = kLoadingOk | kStaleOk,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Lists the subcommands.",
     .parent = "XGROUP"},
};

constexpr CommandSpec kStreamGroupCommands[] = {
    {.name = "XGROUP",
     .arity = AtLeast(2),
     .group = "stream",
     .since = "5.0.0",
     .summary = "Makes, changes and removes consumer groups.",
     .subcommands = kXGroupSubcommands},
};

}  // namespace

std::span<const CommandSpec> StreamGroupCommands() { return kStreamGroupCommands; }

}  // namespace mikura::engine
