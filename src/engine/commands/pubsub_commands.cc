// SPDX-License-Identifier: Apache-2.0
// SUBSCRIBE and PUBLISH, their forms for patterns and shards, and PUBSUB.
#include <fmt/format.h>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/subcommand_help.h"
#include "engine/commands/subscriptions.h"
#include "engine/messaging/pubsub.h"
#include "wire/glob.h"

namespace mikura::engine {
namespace {

constexpr auto kChannel = SubscriptionKind::kChannel;
constexpr auto kPattern = SubscriptionKind::kPattern;
constexpr auto kShardChannel = SubscriptionKind::kShardChannel;

constexpr size_t kQuotedBytesMax = 128;

// The number behind each name: of channels and patterns together, or of sharded channels.
int64_t CountShown(const ClientState& client, SubscriptionKind kind) {
  if (kind == kShardChannel) return client.shard_channels;
  return int64_t{client.channels} + client.patterns;
}

void ReplyChange(CommandContext& ctx, std::string_view verb, SubscriptionKind kind,
                 std::optional<std::string_view> name) {
  ctx.reply.Push(3);
  ctx.reply.Bulk(verb);
  if (name) {
    ctx.reply.Bulk(*name);
  } else {
    ctx.reply.Null();
  }
  ctx.reply.Integer(CountShown(ctx.client, kind));
}

FaultOr<> NoConnection(CommandContext& ctx) {
  ctx.reply.Error("ERR", "there is no connection to which messages could be sent");
  return Ok();
}

// One reply for each name; they are pushes, which CLIENT REPLY does not hold back.
FaultOr<> SubscribeTo(CommandContext& ctx, SubscriptionKind kind, std::string_view verb) {
  if (ctx.client.receiver == nullptr) return NoConnection(ctx);
  for (const std::string_view name : ctx.args.subspan(1)) {
    ctx.services.pubsub.Subscribe(*ctx.client.receiver, kind, name);
    CountSubscriptions(ctx.client);
    ReplyChange(ctx, verb, kind, name);
  }
  ctx.client.reply_is_push = true;
  ctx.services.clients.Publish(ctx.client);
  return Ok();
}

FaultOr<> UnsubscribeFrom(CommandContext& ctx, SubscriptionKind kind, std::string_view verb) {
  if (ctx.client.receiver == nullptr) return NoConnection(ctx);
  const auto leave = [&](std::string_view name) {
    ctx.services.pubsub.Unsubscribe(*ctx.client.receiver, kind, name);
    CountSubscriptions(ctx.client);
    ReplyChange(ctx, verb, kind, name);
  };
  if (ctx.args.size() > 1) {
    for (const std::string_view name : ctx.args.subspan(1)) leave(name);
  } else {
    const std::vector<std::string> names = PubSub::NamesOf(*ctx.client.receiver, kind);
    for (const std::string& name : names) leave(name);
    if (names.empty()) ReplyChange(ctx, verb, kind, std::nullopt);
  }
  ctx.client.reply_is_push = true;
  ctx.services.clients.Publish(ctx.client);
  return Ok();
}

FaultOr<> Subscribe(CommandContext& ctx) { return SubscribeTo(ctx, kChannel, "subscribe"); }
FaultOr<> Psubscribe(CommandContext& ctx) { return SubscribeTo(ctx, kPattern, "psubscribe"); }
FaultOr<> Ssubscribe(CommandContext& ctx) {
  if (!ctx.may_wait) {
    ctx.reply.Error("ERR", "SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
    return Ok();
  }
  return SubscribeTo(ctx, kShardChannel, "ssubscribe");
}
FaultOr<> Unsubscribe(CommandContext& ctx) { return UnsubscribeFrom(ctx, kChannel, "unsubscribe"); }
FaultOr<> Punsubscribe(CommandContext& ctx) {
  return UnsubscribeFrom(ctx, kPattern, "punsubscribe");
}
FaultOr<> Sunsubscribe(CommandContext& ctx) {
  return UnsubscribeFrom(ctx, kShardChannel, "sunsubscribe");
}

// PUBLISH channel message -> how many clients of this node got it.
FaultOr<> PublishTo(CommandContext& ctx, SubscriptionKind kind, std::string_view verb) {
  // A replica's replicas do not hear of it, as in Redis.
  if (ctx.services.control.IsPrimary()) ctx.keys.effects().Add(0, {verb, ctx.args[1], ctx.args[2]});
  // Inside another command: with it. Before anybody gets the message: who does may have to wait
  // until the record is safe.
  if (ctx.may_wait) ctx.keyspace.CommitWithoutKeys(ctx.keys.effects());
  const uint64_t receivers = ctx.services.pubsub.Publish(kind, ctx.args[1], ctx.args[2]);
  ctx.reply.Integer(static_cast<int64_t>(receivers));
  return Ok();
}

FaultOr<> Publish(CommandContext& ctx) { return PublishTo(ctx, kChannel, "PUBLISH"); }
FaultOr<> Spublish(CommandContext& ctx) { return PublishTo(ctx, kShardChannel, "SPUBLISH"); }

// PUBSUB CHANNELS [pattern]
FaultOr<> ReplyChannels(CommandContext& ctx, SubscriptionKind kind) {
  if (ctx.args.size() > 3) {
    ctx.reply.Error("ERR", fmt::format("unknown subcommand or wrong number of arguments for '{}'. "
                                       "Try PUBSUB HELP.",
                                       ctx.args[1].substr(0, kQuotedBytesMax)));
    return Ok();
  }
  std::vector<std::string> names = ctx.services.pubsub.Channels(kind);
  if (ctx.args.size() == 3) {
    std::erase_if(names,
                  [&](const std::string& name) { return !wire::GlobMatch(ctx.args[2], name); });
  }
  ctx.reply.Array(names.size());
  for (const std::string& name : names) ctx.reply.Bulk(name);
  return Ok();
}

// PUBSUB NUMSUB [channel ...]
FaultOr<> ReplyCounts(CommandContext& ctx, SubscriptionKind kind) {
  const auto channels = ctx.args.subspan(2);
  ctx.reply.Array(channels.size() * 2);
  for (const std::string_view channel : channels) {
    ctx.reply.Bulk(channel);
    ctx.reply.Integer(static_cast<int64_t>(ctx.services.pubsub.CountSubscribers(kind, channel)));
  }
  return Ok();
}

FaultOr<> PubsubChannels(CommandContext& ctx) { return ReplyChannels(ctx, kChannel); }
FaultOr<> PubsubShardChannels(CommandContext& ctx) { return ReplyChannels(ctx, kShardChannel); }
FaultOr<> PubsubNumsub(CommandContext& ctx) { return ReplyCounts(ctx, kChannel); }
FaultOr<> PubsubShardNumsub(CommandContext& ctx) { return ReplyCounts(ctx, kShardChannel); }
FaultOr<> PubsubNumpat(CommandContext& ctx) {
  ctx.reply.Integer(static_cast<int64_t>(ctx.services.pubsub.Count(kPattern)));
  return Ok();
}

constexpr uint32_t kSubscribeFlags = kPubSub | kNoScript | kLoadingOk | kStaleOk | kSubscriberOk;
constexpr uint32_t kPublishFlags = kPubSub | kLoadingOk | kStaleOk | kFast | kPublishes;
constexpr uint32_t kShowFlags = kPubSub | kLoadingOk | kStaleOk;

constexpr CommandSpec kPubsubSubcommands[] = {
    {.name = "CHANNELS",
     .handler = PubsubChannels,
     .arity = AtLeast(2),
     .flags = kShowFlags,
     .group = "pubsub",
     .since = "2.8.0",
     .summary = "Lists the channels that have subscribers.",
     .parent = "PUBSUB"},
    {.name = "NUMSUB",
     .handler = PubsubNumsub,
     .arity = AtLeast(2),
     .flags = kShowFlags,
     .group = "pubsub",
     .since = "2.8.0",
     .summary = "Counts the subscribers of channels.",
     .parent = "PUBSUB"},
    {.name = "NUMPAT",
     .handler = PubsubNumpat,
     .arity = Exactly(2),
     .flags = kShowFlags,
     .group = "pubsub",
     .since = "2.8.0",
     .summary = "Counts the patterns that have subscribers.",
     .parent = "PUBSUB"},
    {.name = "SHARDCHANNELS",
     .handler = PubsubShardChannels,
     .arity = AtLeast(2),
     .flags = kShowFlags,
     .group = "pubsub",
     .since = "7.0.0",
     .summary = "Lists the sharded channels that have subscribers.",
     .parent = "PUBSUB"},
    {.name = "SHARDNUMSUB",
     .handler = PubsubShardNumsub,
     .arity = AtLeast(2),
     .flags = kShowFlags,
     .group = "pubsub",
     .since = "7.0.0",
     .summary = "Counts the subscribers of sharded channels.",
     .parent = "PUBSUB"},
    {.name = "HELP",
     .handler = SubcommandHelp,
     .arity = Exactly(2),
     .flags = kLoadingOk | kStaleOk,
     .group = "pubsub",
     .since = "6.2.0",
     .summary = "Lists the subcommands.",
     .parent = "PUBSUB"},
};

constexpr CommandSpec kPubsubCommands[] = {
    {.name = "SUBSCRIBE",
     .handler = Subscribe,
     .arity = AtLeast(2),
     .flags = kSubscribeFlags,
     .group = "pubsub",
     .since = "2.0.0",
     .summary = "Listens to channels."},
    {.name = "UNSUBSCRIBE",
     .handler = Unsubscribe,
     .arity = AtLeast(1),
     .flags = kSubscribeFlags,
     .group = "pubsub",
     .since = "2.0.0",
     .summary = "Stops listening to channels, or to all."},
    {.name = "PSUBSCRIBE",
     .handler = Psubscribe,
     .arity = AtLeast(2),
     .flags = kSubscribeFlags,
     .group = "pubsub",
     .since = "2.0.0",
     .summary = "Listens to all channels whose names match patterns."},
    {.name = "PUNSUBSCRIBE",
     .handler = Punsubscribe,
     .arity = AtLeast(1),
     .flags = kSubscribeFlags,
     .group = "pubsub",
     .since = "2.0.0",
     .summary = "Stops listening to patterns, or to all."},
    {.name = "SSUBSCRIBE",
     .handler = Ssubscribe,
     .arity = AtLeast(2),
     .keys = KeysFrom(1, -1, 1),
     .flags = kSubscribeFlags | kKeysAreChannels,
     .group = "pubsub",
     .since = "7.0.0",
     .summary = "Listens to sharded channels.",
     .key_access = "not_key"},
    {.name = "SUNSUBSCRIBE",
     .handler = Sunsubscribe,
     .arity = AtLeast(1),
     .keys = KeysFrom(1, -1, 1),
     .flags = kSubscribeFlags | kKeysAreChannels,
     .group = "pubsub",
     .since = "7.0.0",
     .summary = "Stops listening to sharded channels, or to all.",
     .key_access = "not_key"},
    {.name = "PUBLISH",
     .handler = Publish,
     .arity = Exactly(3),
     .flags = kPublishFlags,
     .group = "pubsub",
     .since = "2.0.0",
     .summary = "Sends a message to those who listen to a channel."},
    {.name = "SPUBLISH",
     .handler = Spublish,
     .arity = Exactly(3),
     .keys = OneKeyAt(1),
     .flags = kPublishFlags | kKeysAreChannels,
     .group = "pubsub",
     .since = "7.0.0",
     .summary = "Sends a message to those who listen to a sharded channel.",
     .key_access = "not_key"},
    {.name = "PUBSUB",
     .arity = AtLeast(2),
     .group = "pubsub",
     .since = "2.8.0",
     .summary = "Shows channels and their subscribers.",
     .subcommands = kPubsubSubcommands},
};

}  // namespace

std::span<const CommandSpec> PubsubCommands() { return kPubsubCommands; }

}  // namespace mikura::engine
