// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/client_tracking_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/commands/command_support.h"

namespace mikura::engine {
namespace {

struct TrackingOptions {
  TrackingMode mode;  // as asked for
  std::vector<std::string> prefixes;
};

// The number behind REDIRECT. Nullopt after an error reply.
std::optional<uint64_t> ParseRedirect(CommandContext& ctx, std::string_view text, bool is_second) {
  if (is_second) {
    ctx.reply.Error("ERR", "A client can only redirect to a single other client");
    return std::nullopt;
  }
  const std::optional<int64_t> id = ParseInt64(text);
  if (!id) {
    ctx.reply.Error("ERR", "value is not an integer or out of range");
    return std::nullopt;
  }
  const auto target = static_cast<uint64_t>(*id);
  if (*id <= 0 || !ctx.services.clients.LoopOf(target)) {
    ctx.reply.Error("ERR", "The client ID you want redirect to does not exist");
    return std::nullopt;
  }
  return target;
}

// The words behind ON or OFF. Nullopt after an error reply.
std::optional<TrackingOptions> ParseOptions(CommandContext& ctx) {
  TrackingOptions options;
  for (size_t i = 3; i < ctx.args.size(); ++i) {
    const std::string_view word = ctx.args[i];
    const bool has_more = i + 1 < ctx.args.size();
    if (EqualsIgnoreCase(word, "REDIRECT") && has_more) {
      const auto target = ParseRedirect(ctx, ctx.args[++i], options.mode.redirect != 0);
      if (!target) return std::nullopt;
      options.mode.redirect = *target;
    } else if (EqualsIgnoreCase(word, "BCAST")) {
      options.mode.broadcast = true;
    } else if (EqualsIgnoreCase(word, "OPTIN")) {
      options.mode.opt_in = true;
    } else if (EqualsIgnoreCase(word, "OPTOUT")) {
      options.mode.opt_out = true;
    } else if (EqualsIgnoreCase(word, "NOLOOP")) {
      options.mode.no_loop = true;
    } else if (EqualsIgnoreCase(word, "PREFIX") && has_more) {
      options.prefixes.emplace_back(ctx.args[++i]);
    } else {
      ctx.reply.Error("ERR", "syntax error");
      return std::nullopt;
    }
  }
  return options;
}

// What is wrong with the modes together; empty when nothing is.
std::string_view Contradiction(const TrackingOptions& options, const TrackingMode& now) {
  const TrackingMode& mode = options.mode;
  if (!mode.broadcast && !options.prefixes.empty()) {
    return "PREFIX option requires BCAST mode to be enabled";
  }
  if (now.on && now.broadcast != mode.broadcast) {
    return "You can't switch BCAST mode on/off before disabling tracking for this client, and then "
           "re-enabling it with a different mode.";
  }
  if (mode.broadcast && (mode.opt_in || mode.opt_out)) {
    return "OPTIN and OPTOUT are not compatible with BCAST";
  }
  if (mode.opt_in && mode.opt_out) return "You can't specify both OPTIN mode and OPTOUT mode";
  if ((mode.opt_in && now.opt_out) || (mode.opt_out && now.opt_in)) {
    return "You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then "
           "re-enabling it with a different mode.";
  }
  return {};
}

bool Overlap(std::string_view a, std::string_view b) {
  return a.starts_with(b) || b.starts_with(a);
}

// A change must be told once. False after an error reply.
bool PrefixesAreApart(CommandContext& ctx, const std::vector<std::string>& prefixes) {
  for (size_t i = 0; i < prefixes.size(); ++i) {
    for (const std::string& held : ctx.client.receiver->tracked_prefixes) {
      if (!Overlap(held, prefixes[i])) continue;
      ctx.reply.Error("ERR", fmt::format("Prefix '{}' overlaps with an existing prefix '{}'. "
                                         "Prefixes for a single client must not overlap.",
                                         prefixes[i], held));
      return false;
    }
    for (size_t k = i + 1; k < prefixes.size(); ++k) {
      if (!Overlap(prefixes[i], prefixes[k])) continue;
      ctx.reply.Error("ERR", fmt::format("Prefix '{}' overlaps with another provided prefix '{}'. "
                                         "Prefixes for a single client must not overlap.",
                                         prefixes[i], prefixes[k]));
      return false;
    }
  }
  return true;
}

// CLIENT TRACKING ON with its options. False after an error reply.
bool SwitchOn(CommandContext& ctx, TrackingOptions options) {
  ClientState& client = ctx.client;
  if (const std::string_view wrong = Contradiction(options, client.tracking); !wrong.empty()) {
    ctx.reply.Error("ERR", wrong);
    return false;
  }
  if (!PrefixesAreApart(ctx, options.prefixes)) return false;
  if (options.mode.broadcast && options.prefixes.empty()) options.prefixes.emplace_back();
  options.mode.on = true;
  options.mode.caching = client.tracking.caching;
  ctx.services.tracking.Enable(*client.receiver, options.mode, options.prefixes);
  return true;
}

}  // namespace

// CLIENT TRACKING ON | OFF [REDIRECT id] [PREFIX p ...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]
FaultOr<> ClientTrackingSwitch(CommandContext& ctx) {
  std::optional<TrackingOptions> options = ParseOptions(ctx);
  if (!options) return Ok();
  if (ctx.client.receiver == nullptr) {
    ctx.reply.Error("ERR", "there is no connection to which invalidations could be sent");
    return Ok();
  }
  if (EqualsIgnoreCase(ctx.args[2], "ON")) {
    if (!SwitchOn(ctx, std::move(*options))) return Ok();
  } else if (EqualsIgnoreCase(ctx.args[2], "OFF")) {
    ctx.services.tracking.Disable(*ctx.client.receiver);
  } else {
    return Fault::kSyntax;
  }
  ctx.services.clients.Publish(ctx.client);
  ctx.reply.Ok();
  return Ok();
}

// CLIENT CACHING YES | NO: about the keys of the next command.
FaultOr<> ClientCaching(CommandContext& ctx) {
  TrackingMode& mode = ctx.client.tracking;
  if (!mode.on) {
    ctx.reply.Error("ERR",
                    "CLIENT CACHING can be called only when the client is in tracking mode with "
                    "OPTIN or OPTOUT mode enabled");
    return Ok();
  }
  const bool yes = EqualsIgnoreCase(ctx.args[2], "YES");
  if (!yes && !EqualsIgnoreCase(ctx.args[2], "NO")) return Fault::kSyntax;
  if (yes && !mode.opt_in) {
    ctx.reply.Error("ERR",
                    "CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
    return Ok();
  }
  if (!yes && !mode.opt_out) {
    ctx.reply.Error("ERR",
                    "CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
    return Ok();
  }
  mode.caching = true;
  ctx.reply.Ok();
  return Ok();
}

// CLIENT GETREDIR -> the client that is told instead, 0 for itself, -1 without tracking.
FaultOr<> ClientGetRedir(CommandContext& ctx) {
  const TrackingMode& mode = ctx.client.tracking;
  ctx.reply.Integer(mode.on ? static_cast<int64_t>(mode.redirect) : -1);
  return Ok();
}

FaultOr<> ClientTrackingInfo(CommandContext& ctx) {
  const TrackingMode& mode = ctx.client.tracking;
  std::vector<std::string_view> flags{mode.on ? "on" : "off"};
  if (mode.broadcast) flags.emplace_back("bcast");
  if (mode.opt_in) flags.emplace_back("optin");
  if (mode.opt_in && mode.caching) flags.emplace_back("caching-yes");
  if (mode.opt_out) flags.emplace_back("optout");
  if (mode.opt_out && mode.caching) flags.emplace_back("caching-no");
  if (mode.no_loop) flags.emplace_back("noloop");
  if (mode.broken_redirect) flags.emplace_back("broken_redirect");
  ctx.reply.Map(3);
  ctx.reply.Bulk("flags");
  ctx.reply.Set(flags.size());
  for (const std::string_view flag : flags) ctx.reply.Bulk(flag);
  ctx.reply.Bulk("redirect");
  RETURN_IF_ERROR(ClientGetRedir(ctx));
  ctx.reply.Bulk("prefixes");
  if (ctx.client.receiver == nullptr) {
    ctx.reply.Array(0);
    return Ok();
  }
  ctx.reply.Array(ctx.client.receiver->tracked_prefixes.size());
  for (const std::string& prefix : ctx.client.receiver->tracked_prefixes) ctx.reply.Bulk(prefix);
  return Ok();
}

}  // namespace mikura::engine
