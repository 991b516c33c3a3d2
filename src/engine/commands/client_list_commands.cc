// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/client_list_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/commands/command_support.h"

namespace mikura::engine {
namespace {

// The kind of client that a word of CLIENT LIST and KILL names; "" when it names none.
std::string_view ClientTypeOf(std::string_view word) {
  if (EqualsIgnoreCase(word, "slave")) return "replica";
  for (const std::string_view type : {"normal", "replica", "pubsub", "master"}) {
    if (EqualsIgnoreCase(word, type)) return type;
  }
  return {};
}

void ReplyUnknownType(CommandContext& ctx, std::string_view word) {
  ctx.reply.Error("ERR", fmt::format("Unknown client type '{}'", word));
}

size_t WordBytes(std::span<const std::string_view> words) {
  size_t bytes = 0;
  for (const std::string_view word : words) bytes += word.size();
  return bytes;
}

// The running request, as clients send it.
size_t RequestBytes(std::span<const std::string_view> words) {
  size_t bytes = WordBytes(words) + fmt::formatted_size("*{}\r\n", words.size());
  for (const std::string_view word : words) {
    bytes += fmt::formatted_size("${}\r\n\r\n", word.size());
  }
  return bytes;
}

// One line per client that `wanted` accepts. This client's own line shows its state as of now.
template <typename Wanted>
std::string ClientLines(CommandContext& ctx, Wanted wanted) {
  std::string text;
  for (ClientInfo& info : ctx.services.clients.List()) {
    if (info.state.id == ctx.client.id) {
      info.state = ctx.client;
      info.last_command = FullName(ctx.spec);
      info.last_active_at = ctx.now();
      info.held_input_bytes = RequestBytes(ctx.args);
      info.argument_bytes = WordBytes(ctx.args);
    }
    if (wanted(info.state)) text += ctx.services.clients.Describe(info, ctx.now()) + "\n";
  }
  return text;
}

bool Matches(const ClientFilter& filter, const ClientState& client) {
  return (!filter.id || *filter.id == client.id) &&
         (!filter.address || *filter.address == client.address) &&
         (!filter.local_address || *filter.local_address == client.local_address) &&
         (!filter.user || *filter.user == client.user) &&
         (!filter.type || *filter.type == ClientTypeName(client));
}

// One pair of CLIENT KILL's filter. False after an error reply.
bool TakeFilter(CommandContext& ctx, std::string_view name, std::string_view value,
                ClientFilter& filter, bool& skip_me) {
  if (EqualsIgnoreCase(name, "ID")) {
    const std::optional<int64_t> id = ParseInt64(value);
    if (!id || *id < 1) {
      ctx.reply.Error("ERR", "client-id should be greater than 0");
      return false;
    }
    filter.id = static_cast<uint64_t>(*id);
  } else if (EqualsIgnoreCase(name, "TYPE")) {
    const std::string_view type = ClientTypeOf(value);
    if (type.empty()) {
      ReplyUnknownType(ctx, value);
      return false;
    }
    filter.type = std::string(type);
  } else if (EqualsIgnoreCase(name, "ADDR")) {
    filter.address = std::string(value);
  } else if (EqualsIgnoreCase(name, "LADDR")) {
    filter.local_address = std::string(value);
  } else if (EqualsIgnoreCase(name, "USER")) {
    if (value != "default") {
      ctx.reply.Error("ERR", fmt::format("No such user '{}'", value));
      return false;
    }
    filter.user = std::string(value);
  } else if (EqualsIgnoreCase(name, "SKIPME") &&
             (EqualsIgnoreCase(value, "yes") || EqualsIgnoreCase(value, "no"))) {
    skip_me = EqualsIgnoreCase(value, "yes");
  } else {
    ctx.reply.Error("ERR", "syntax error");
    return false;
  }
  return true;
}

// Ends the clients that match; this one after its reply. Returns how many.
int64_t KillMatching(CommandContext& ctx, ClientFilter filter, bool skip_me) {
  filter.skip_id = ctx.client.id;
  auto killed = static_cast<int64_t>(ctx.services.clients.Kill(filter));
  if (!skip_me && Matches(filter, ctx.client)) {
    ctx.client.close_after_reply = true;
    ++killed;
  }
  return killed;
}

}  // namespace

// CLIENT LIST [TYPE type | ID id ...]
FaultOr<> ClientList(CommandContext& ctx) {
  std::string_view type;
  std::vector<uint64_t> ids;
  if (ctx.args.size() == 4 && EqualsIgnoreCase(ctx.args[2], "TYPE")) {
    type = ClientTypeOf(ctx.args[3]);
    if (type.empty()) {
      ReplyUnknownType(ctx, ctx.args[3]);
      return Ok();
    }
  } else if (ctx.args.size() > 3 && EqualsIgnoreCase(ctx.args[2], "ID")) {
    for (const std::string_view word : ctx.args.subspan(3)) {
      const std::optional<int64_t> id = ParseInt64(word);
      if (!id) {
        ctx.reply.Error("ERR", "Invalid client ID");
        return Ok();
      }
      ids.push_back(static_cast<uint64_t>(*id));
    }
  } else if (ctx.args.size() != 2) {
    return Fault::kSyntax;
  }
  const std::string text = ClientLines(ctx, [&](const ClientState& client) {
    if (!type.empty() && type != ClientTypeName(client)) return false;
    return ids.empty() || std::find(ids.begin(), ids.end(), client.id) != ids.end();
  });
  ctx.reply.Verbatim("txt", text);
  return Ok();
}

FaultOr<> ClientInfoLine(CommandContext& ctx) {
  ctx.reply.Verbatim("txt", ClientLines(ctx, [&](const ClientState& client) {
                       return client.id == ctx.client.id;
                     }));
  return Ok();
}

// CLIENT KILL address, or CLIENT KILL filter value ...
FaultOr<> ClientKill(CommandContext& ctx) {
  ClientFilter filter;
  if (ctx.args.size() == 3) {
    filter.address = std::string(ctx.args[2]);
    if (KillMatching(ctx, filter, false) > 0) {
      ctx.reply.Ok();
    } else {
      ctx.reply.Error("ERR", "No such client");
    }
    return Ok();
  }
  bool skip_me = true;
  for (size_t i = 2; i < ctx.args.size(); i += 2) {
    if (i + 1 >= ctx.args.size()) return Fault::kSyntax;
    if (!TakeFilter(ctx, ctx.args[i], ctx.args[i + 1], filter, skip_me)) return Ok();
  }
  ctx.reply.Integer(KillMatching(ctx, filter, skip_me));
  return Ok();
}

}  // namespace mikura::engine
