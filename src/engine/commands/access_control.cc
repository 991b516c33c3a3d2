// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/access_control.h"

#include <fmt/format.h>

#include <vector>

#include "engine/commands/command_description.h"
#include "engine/commands/command_errors.h"
#include "engine/commands/command_keys.h"

namespace mikura::engine {
namespace {

using access::Denial;

// In the order in which ACL CAT lists them.
constexpr std::string_view kCategories[] = {
    "keyspace", "read",   "write",       "set",       "sortedset",  "list",        "hash",
    "string",   "bitmap", "hyperloglog", "geo",       "stream",     "pubsub",      "admin",
    "fast",     "slow",   "blocking",    "dangerous", "connection", "transaction", "scripting"};

uint32_t CategoriesOf(const CommandSpec& spec) {
  uint32_t categories = 0;
  for (const std::string_view name : CategoryNames(spec)) {
    for (uint32_t i = 0; i < std::size(kCategories); ++i) {
      if (kCategories[i] == name.substr(1)) categories |= 1u << i;
    }
  }
  return categories;
}

using Numbers = std::unordered_map<const CommandSpec*, access::CommandNumber>;

access::AccessCatalog MakeCatalog(const CommandTable& table, Numbers& numbers) {
  access::AccessCatalog catalog(kCategories);
  for (const CommandSpec* spec : table.Every()) {
    const access::CommandNumber number = catalog.Add(FullName(*spec), CategoriesOf(*spec), {});
    numbers.emplace(spec, number);
    for (const CommandSpec& subcommand : spec->subcommands) {
      numbers.emplace(&subcommand,
                      catalog.Add(FullName(subcommand), CategoriesOf(subcommand), number));
    }
  }
  return catalog;
}

bool HasWord(std::string_view words, std::string_view word) {
  const size_t at = words.find(word);
  return at != std::string_view::npos && (at == 0 || words[at - 1] == ' ') &&
         (at + word.size() == words.size() || words[at + word.size()] == ' ');
}

// What a specification such as "RW access update" does to its keys.
uint8_t AccessOf(std::string_view words) {
  uint8_t access = 0;
  if (HasWord(words, "access")) access |= access::kReadsKey;
  if (HasWord(words, "update") || HasWord(words, "insert") || HasWord(words, "delete")) {
    access |= access::kWritesKey;
  }
  return access;
}

// The specification with number `index` of the row: "RW access update".
std::string_view AccessWords(const CommandSpec& spec, uint32_t index) {
  if (!spec.key_specs.empty()) return spec.key_specs[index].access;
  std::string_view words = spec.key_access;
  for (; index > 0; --index) words.remove_prefix(std::min(words.find(';') + 1, words.size()));
  return words.substr(0, words.find(';'));
}

std::vector<access::KeyUse> KeysOf(const CommandSpec& spec,
                                   std::span<const std::string_view> args) {
  std::vector<access::KeyUse> uses;
  if (!spec.may_have_keys() || !spec.arity.Accepts(args.size())) return uses;
  std::vector<KeyPlace> places;
  FindKeyPlaces(spec, args, places);
  for (const KeyPlace& place : places) {
    const std::string_view words = AccessWords(spec, place.spec);
    if (HasWord(words, "not_key")) continue;
    uint8_t access = AccessOf(words);
    // SET reads its key only with GET among its words.
    if (HasWord(words, "variable_flags") && spec.name == "SET") {
      const bool gets = std::any_of(args.begin() + 3, args.end(), [](std::string_view word) {
        return EqualsIgnoreCase(word, "GET");
      });
      if (!gets) access = access::kWritesKey;
    }
    uses.push_back({args[place.word], access});
  }
  return uses;
}

std::vector<access::ChannelUse> ChannelsOf(const CommandSpec& spec,
                                           std::span<const std::string_view> args) {
  std::vector<access::ChannelUse> uses;
  const bool is_publish = spec.name == "PUBLISH" || spec.name == "SPUBLISH";
  const bool is_pattern = spec.name == "PSUBSCRIBE";
  if (!is_publish && !is_pattern && spec.name != "SUBSCRIBE" && spec.name != "SSUBSCRIBE") {
    return uses;
  }
  const size_t end = is_publish ? std::min<size_t>(2, args.size()) : args.size();
  for (size_t i = 1; i < end; ++i) uses.push_back({args[i], is_pattern});
  return uses;
}

std::string_view FirstArgument(const CommandSpec& spec, std::span<const std::string_view> args) {
  const size_t at = spec.parent.empty() ? 1 : 2;
  return args.size() > at ? args[at] : std::string_view();
}

std::string_view ContextName(AccessContext context) {
  switch (context) {
    case AccessContext::kMulti:
      return "multi";
    case AccessContext::kScript:
      return "lua";
    case AccessContext::kTopLevel:
      break;
  }
  return "toplevel";
}

std::string_view ReasonName(Denial denial) {
  switch (denial) {
    case Denial::kKey:
      return "key";
    case Denial::kChannel:
      return "channel";
    case Denial::kCommand:
    case Denial::kNone:
      break;
  }
  return "command";
}

}  // namespace

AccessControl::AccessControl(const CommandTable& table) : users_(MakeCatalog(table, numbers_)) {}

bool AccessControl::RequiresAuthentication() const {
  const access::SharedUser user = users_.Find("default");
  return user == nullptr || !user->is_enabled() || !user->has_no_password();
}

bool AccessControl::Login(ClientState& client, std::string_view name, std::string_view password) {
  const access::SharedUser user = users_.Find(name);
  if (user == nullptr || !user->AcceptsPassword(password)) return false;
  client.authenticated = true;
  client.user = user->name();
  RefreshSlow(client);
  return true;
}

void AccessControl::RefreshSlow(ClientState& client) const {
  client.rights_version = users_.version();
  client.rights = users_.Find(client.user);
  if (client.rights == nullptr) {
    client.authenticated = false;
    client.user = "default";
    client.rights = users_.Find(client.user);
  }
  client.is_unrestricted = client.rights->is_unrestricted();
}

access::Verdict AccessControl::CheckUser(const access::AccessUser& user, const CommandSpec& spec,
                                         std::span<const std::string_view> args) const {
  const std::vector<access::KeyUse> keys = KeysOf(spec, args);
  const std::vector<access::ChannelUse> channels = ChannelsOf(spec, args);
  return user.Check({NumberOf(spec), FirstArgument(spec, args), keys, channels});
}

bool AccessControl::MayReadAllKeys(const ClientState& client, const CommandSpec& spec,
                                   std::span<const std::string_view> args) const {
  // Who has no rights at all is the node itself, or what it follows.
  if (client.is_unrestricted || !client.rights) return true;
  const std::vector<access::KeyUse> keys = KeysOf(spec, args);
  return client.rights->AllowsReadingAllKeys({NumberOf(spec), FirstArgument(spec, args), keys, {}});
}

bool AccessControl::AllowsCommand(const access::AccessUser& user, const CommandSpec& spec,
                                  std::span<const std::string_view> args) const {
  return user.AllowsCommand(NumberOf(spec), FirstArgument(spec, args));
}

void AccessControl::NoteDenial(const access::Verdict& verdict, const CommandSpec& spec,
                               AccessContext context, const ClientState& client,
                               std::string client_text, UnixMillis now) {
  users_.log().Add(
      {.reason = std::string(ReasonName(verdict.denial)),
       .context = std::string(ContextName(context)),
       .object = verdict.denial == Denial::kCommand ? FullName(spec) : std::string(verdict.object),
       .user = client.user,
       .client = std::move(client_text),
       .created_at = now});
}

void AccessControl::NoteFailedLogin(std::string_view user, AccessContext context,
                                    std::string client_text, UnixMillis now) {
  users_.log().Add({.reason = "auth",
                    .context = std::string(ContextName(context)),
                    .object = "AUTH",
                    .user = std::string(user),
                    .client = std::move(client_text),
                    .created_at = now});
}

std::string DenialMessage(const access::Verdict& verdict, const CommandSpec& spec) {
  switch (verdict.denial) {
    case Denial::kKey:
      return "this user has no permissions to access one of the keys used as arguments";
    case Denial::kChannel:
      return "this user has no permissions to access one of the channels used as arguments";
    case Denial::kCommand:
    case Denial::kNone:
      break;
  }
  return fmt::format("this user has no permissions to run the '{}' command", FullName(spec));
}

std::string DenialExplanation(const access::Verdict& verdict, const CommandSpec& spec) {
  switch (verdict.denial) {
    case Denial::kKey:
      return fmt::format("This user has no permissions to access the '{}' key", verdict.object);
    case Denial::kChannel:
      return fmt::format("This user has no permissions to access the '{}' channel", verdict.object);
    case Denial::kCommand:
    case Denial::kNone:
      break;
  }
  return fmt::format("This user has no permissions to run the '{}' command", FullName(spec));
}

}  // namespace mikura::engine
