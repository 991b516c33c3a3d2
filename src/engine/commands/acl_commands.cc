// SPDX-License-Identifier: Apache-2.0
// ACL: users and their rights.
#include <fmt/format.h>

#include "base/random_bytes.h"
#include "engine/commands/acl_files.h"
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/subcommand_help.h"

namespace mikura::engine {
namespace {

access::AccessUsers& Users(CommandContext& ctx) { return ctx.services.access.users(); }

FaultOr<> ReplyError(CommandContext& ctx, const Status& status) {
  ctx.reply.Error("ERR", status.error().message);
  return Ok();
}

FaultOr<> AclWhoAmI(CommandContext& ctx) {
  ctx.reply.Bulk(ctx.client.user);
  return Ok();
}

FaultOr<> AclUsersList(CommandContext& ctx) {
  const std::vector<access::SharedUser> all = Users(ctx).All();
  ctx.reply.Array(all.size());
  for (const access::SharedUser& user : all) ctx.reply.Bulk(user->name());
  return Ok();
}

FaultOr<> AclList(CommandContext& ctx) {
  const std::vector<access::SharedUser> all = Users(ctx).All();
  ctx.reply.Array(all.size());
  for (const access::SharedUser& user : all) ctx.reply.Bulk(user->Text());
  return Ok();
}

FaultOr<> AclSetUser(CommandContext& ctx) {
  if (!access::IsUserName(ctx.args[2])) {
    ctx.reply.Error("ERR", "Usernames can't contain spaces or null characters");
    return Ok();
  }
  if (const Status set = Users(ctx).Set(ctx.args[2], ctx.args.subspan(3)); !set.ok()) {
    return ReplyError(ctx, set);
  }
  ctx.reply.Ok();
  return Ok();
}

// ACL DELUSER name ... -> how many there were. Their clients are disconnected.
FaultOr<> AclDelUser(CommandContext& ctx) {
  int64_t removed = 0;
  for (const std::string_view name : ctx.args.subspan(2)) {
    if (name == "default") {
      ctx.reply.Error("ERR", "The 'default' user cannot be removed");
      return Ok();
    }
  }
  for (const std::string_view name : ctx.args.subspan(2)) {
    if (!Users(ctx).Remove(name)) continue;
    ++removed;
    DisconnectUser(ctx, name);
  }
  ctx.reply.Integer(removed);
  return Ok();
}

void ReplySelector(wire::RespWriter& reply, const access::AccessSelector& selector) {
  reply.Bulk("commands");
  reply.Bulk(selector.CommandsText());
  reply.Bulk("keys");
  reply.Bulk(selector.KeysText());
  reply.Bulk("channels");
  reply.Bulk(selector.ChannelsText());
}

FaultOr<> AclGetUser(CommandContext& ctx) {
  const access::SharedUser user = Users(ctx).Find(ctx.args[2]);
  if (user == nullptr) {
    ctx.reply.Null();
    return Ok();
  }
  ctx.reply.Map(6);
  ctx.reply.Bulk("flags");
  const std::vector<std::string_view> flags = user->FlagNames();
  ctx.reply.Set(flags.size());
  for (const std::string_view flag : flags) ctx.reply.Bulk(flag);
  ctx.reply.Bulk("passwords");
  ctx.reply.Array(user->password_hashes().size());
  for (const std::string& hash : user->password_hashes()) ctx.reply.Bulk(hash);
  ReplySelector(ctx.reply, user->root());
  ctx.reply.Bulk("selectors");
  ctx.reply.Array(user->selectors().size());
  for (const access::AccessSelector& selector : user->selectors()) {
    ctx.reply.Map(3);
    ReplySelector(ctx.reply, selector);
  }
  return Ok();
}

// ACL CAT [category] -> the categories, or the commands of one.
FaultOr<> AclCat(CommandContext& ctx) {
  const access::AccessCatalog& catalog = Users(ctx).catalog();
  if (ctx.args.size() == 2) {
    ctx.reply.Array(catalog.categories().size());
    for (const std::string& name : catalog.categories()) ctx.reply.Bulk(name);
    return Ok();
  }
  const std::optional<uint32_t> category = catalog.FindCategory(ctx.args[2]);
  if (!category || ctx.args.size() > 3) {
    ctx.reply.Error("ERR", fmt::format("Unknown category '{}'", ctx.args[2]));
    return Ok();
  }
  std::vector<std::string_view> names;
  for (access::CommandNumber i = 0; i < catalog.size(); ++i) {
    if ((catalog.command(i).categories >> *category & 1) != 0) {
      names.push_back(catalog.command(i).full_name);
    }
  }
  ctx.reply.Array(names.size());
  for (const std::string_view name : names) ctx.reply.Bulk(name);
  return Ok();
}

// ACL GENPASS [bits] -> as many random bits, rounded up to whole hexadecimal digits.
FaultOr<> AclGenPass(CommandContext& ctx) {
  constexpr int64_t kBitsMax = 4096;
  int64_t bits = 256;
  if (ctx.args.size() == 3) {
    ASSIGN_OR_RETURN(bits, ToInteger(ctx.args[2]));
    if (bits <= 0 || bits > kBitsMax) {
      ctx.reply.Error("ERR",
                      "ACL GENPASS argument must be the number of bits for the output password, a "
                      "positive number up to 4096");
      return Ok();
    }
  }
  const auto digits = static_cast<size_t>((bits + 3) / 4);
  const std::string bytes = RandomBytes((digits + 1) / 2);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text.push_back(kDigits[static_cast<uint8_t>(byte) >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  ctx.reply.Bulk(std::string_view(text).substr(0, digits));
  return Ok();
}

void ReplyLogEntry(CommandContext& ctx, const access::AccessLogEntry& entry) {
  ctx.reply.Map(7);
  ctx.reply.Bulk("count");
  ctx.reply.Integer(static_cast<int64_t>(entry.count));
  ctx.reply.Bulk("reason");
  ctx.reply.Bulk(entry.reason);
  ctx.reply.Bulk("context");
  ctx.reply.Bulk(entry.context);
  ctx.reply.Bulk("object");
  ctx.reply.Bulk(entry.object);
  ctx.reply.Bulk("username");
  ctx.reply.Bulk(entry.user);
  ctx.reply.Bulk("age-seconds");
  ctx.reply.Double(static_cast<double>(ctx.now() - entry.updated_at) / 1000);
  ctx.reply.Bulk("client-info");
  ctx.reply.Bulk(entry.client);
}

// ACL LOG [count | RESET]
FaultOr<> AclLog(CommandContext& ctx) {
  int64_t count = 10;
  if (ctx.args.size() == 3) {
    if (EqualsIgnoreCase(ctx.args[2], "RESET")) {
      Users(ctx).log().Clear();
      ctx.reply.Ok();
      return Ok();
    }
    ASSIGN_OR_RETURN(count, ToInteger(ctx.args[2]));
    count = std::max<int64_t>(count, 0);
  }
  const auto entries = Users(ctx).log().Newest(static_cast<size_t>(count));
  ctx.reply.Array(entries.size());
  for (const access::AccessLogEntry& entry : entries) ReplyLogEntry(ctx, entry);
  return Ok();
}

// ACL DRYRUN user command [argument ...] -> OK, or why it would be denied.
FaultOr<> AclDryRun(CommandContext& ctx) {
  const access::SharedUser user = Users(ctx).Find(ctx.args[2]);
  if (user == nullptr) {
    ctx.reply.Error("ERR", fmt::format("User '{}' not found", ctx.args[2]));
    return Ok();
  }
  const std::span<const std::string_view> line = ctx.args.subspan(3);
  const CommandSpec* spec = ctx.table.Find(line[0]);
  if (spec != nullptr && !spec->subcommands.empty() && line.size() > 1) {
    spec = ctx.table.FindSubcommand(*spec, line[1]);
  }
  if (spec == nullptr) {
    ctx.reply.Error("ERR", fmt::format("Command '{}' not found", line[0]));
    return Ok();
  }
  if (!spec->arity.Accepts(line.size())) {
    ctx.reply.Error("ERR", WrongArityMessage(*spec));
    return Ok();
  }
  const access::Verdict verdict = ctx.services.access.CheckUser(*user, *spec, line);
  if (verdict.allowed()) {
    ctx.reply.Ok();
  } else {
    ctx.reply.Bulk(DenialExplanation(verdict, *spec));
  }
  return Ok();
}

constexpr uint32_t kFlags = kNoScript | kLoadingOk | kStaleOk;

constexpr CommandSpec Row(std::string_view name, CommandHandler handler, Arity arity,
                          std::string_view summary, uint32_t flags = kFlags | kAdmin,
                          std::string_view since = "6.0.0") {
  return {.name = name,
          .handler = handler,
          .arity = arity,
          .flags = flags,
          .group = "server",
          .since = since,
          .summary = summary,
          .parent = "ACL"};
}

constexpr CommandSpec kAclSubcommands[] = {
    Row("CAT", AclCat, AtLeast(2), "Lists the categories, or the commands of one.", kFlags),
    Row("DELUSER", AclDelUser, AtLeast(3), "Removes users and disconnects their clients."),
    Row("DRYRUN", AclDryRun, AtLeast(4), "Tells whether a user may run a command.", kFlags | kAdmin,
        "7.0.0"),
    Row("GENPASS", AclGenPass, AtLeast(2), "Makes a random password.", kFlags),
    Row("GETUSER", AclGetUser, Exactly(3), "Shows the rights of a user."),
    Row("HELP", SubcommandHelp, Exactly(2), "Lists the subcommands.", kFlags & ~kNoScript),
    Row("LIST", AclList, Exactly(2), "Shows all users as rules."),
    Row("LOAD", AclLoad, Exactly(2), "Reads the users from the ACL file."),
    Row("LOG", AclLog, AtLeast(2), "Shows what was denied lately."),
    Row("SAVE", AclSave, Exactly(2), "Writes the users to the ACL file."),
    Row("SETUSER", AclSetUser, AtLeast(3), "Creates or changes a user."),
    Row("USERS", AclUsersList, Exactly(2), "Lists the names of the users."),
    Row("WHOAMI", AclWhoAmI, Exactly(2), "Tells who the client is.", kFlags),
};

constexpr CommandSpec kAclCommands[] = {
    {.name = "ACL",
     .arity = AtLeast(2),
     .group = "server",
     .since = "6.0.0",
     .summary = "Users and their rights.",
     .subcommands = kAclSubcommands},
};

}  // namespace

std::span<const CommandSpec> AclCommands() { return kAclCommands; }

}  // namespace mikura::engine
