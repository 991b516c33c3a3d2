// SPDX-License-Identifier: Apache-2.0
#include "engine/access/access_selector.h"

#include <algorithm>

#include "base/numbers.h"
#include "wire/glob.h"

namespace mikura::engine::access {
namespace {

const Error kSyntax{"Syntax error"};
const Error kUnknownCommand{"Unknown command or category name in ACL"};
const Error kAfterAllKeys{
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have "
    "any effect. Try 'resetkeys' to start with an empty list of patterns"};
const Error kAfterAllChannels{
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not "
    "have any effect. Try 'resetchannels' to start with an empty list of channels"};
const Error kSubcommandArgument{"Allowing first-arg of a subcommand is not supported"};

// Rules are shown between blanks, so patterns hold none.
bool HasBlankOrNull(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; });
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return lower;
}

}  // namespace

Status AccessSelector::Apply(std::string_view rule) {
  const auto is = [rule](std::string_view word) { return EqualsIgnoreCase(rule, word); };
  if (is("allkeys") || rule == "~*") {
    all_keys_ = true;
    keys_.clear();
  } else if (is("resetkeys")) {
    all_keys_ = false;
    keys_.clear();
  } else if (is("allchannels") || rule == "&*") {
    all_channels_ = true;
    channels_.clear();
  } else if (is("resetchannels")) {
    all_channels_ = false;
    channels_.clear();
  } else if (is("allcommands") || is("+@all")) {
    SetAllCommands(true);
  } else if (is("nocommands") || is("-@all")) {
    SetAllCommands(false);
  } else if (rule.starts_with('~') || rule.starts_with('%')) {
    return AddKeyPattern(rule);
  } else if (rule.starts_with('&')) {
    return AddChannel(rule.substr(1));
  } else if (rule.starts_with("+@") || rule.starts_with("-@")) {
    return ApplyCategory(rule.substr(2), rule[0] == '+');
  } else if (rule.size() > 1 && (rule[0] == '+' || rule[0] == '-')) {
    return ApplyCommandRule(rule.substr(1), rule[0] == '+');
  } else {
    return kSyntax;
  }
  return Ok();
}

void AccessSelector::SetAllCommands(bool allow) {
  commands_.assign(catalog_->size(), allow);
  all_commands_ = allow;
  first_arguments_.clear();
  commands_text_ = allow ? "+@all" : "-@all";
}

// A command with its subcommands.
void AccessSelector::SetCommand(CommandNumber number, bool allow) {
  commands_[number] = allow;
  first_arguments_.erase(number);
  if (!allow) all_commands_ = false;
  for (const CommandNumber subcommand : catalog_->command(number).subcommands) {
    SetCommand(subcommand, allow);
  }
}

Status AccessSelector::ApplyCategory(std::string_view name, bool allow) {
  const std::optional<uint32_t> category = catalog_->FindCategory(name);
  if (!category) return kUnknownCommand;
  for (CommandNumber i = 0; i < catalog_->size(); ++i) {
    if ((catalog_->command(i).categories >> *category & 1) == 0) continue;
    commands_[i] = allow;
    first_arguments_.erase(i);
  }
  if (!allow) all_commands_ = false;
  NoteRule((allow ? "+@" : "-@") + Lower(name));
  return Ok();
}

Status AccessSelector::ApplyCommandRule(std::string_view name, bool allow) {
  if (const std::optional<CommandNumber> number = catalog_->Find(name)) {
    SetCommand(*number, allow);
    NoteRule((allow ? "+" : "-") + Lower(name));
    return Ok();
  }
  const size_t bar = name.find('|');
  if (bar == std::string_view::npos || !allow) return kUnknownCommand;
  return AllowFirstArgument(name.substr(0, bar), name.substr(bar + 1));
}

// "+select|0": a command without subcommands is allowed with this first argument.
Status AccessSelector::AllowFirstArgument(std::string_view name, std::string_view argument) {
  const std::optional<CommandNumber> number = catalog_->Find(name);
  if (!number) return kUnknownCommand;
  if (argument.find('|') != std::string_view::npos) return kSubcommandArgument;
  if (!catalog_->command(*number).subcommands.empty()) return kUnknownCommand;
  if (argument.empty()) return kSyntax;
  if (!commands_[*number]) {
    std::vector<std::string>& arguments = first_arguments_[*number];
    const std::string lower = Lower(argument);
    if (std::find(arguments.begin(), arguments.end(), lower) == arguments.end()) {
      arguments.push_back(lower);
    }
  }
  NoteRule("+" + Lower(name) + "|" + Lower(argument));
  return Ok();
}

// A later rule for the same thing stands for the earlier ones.
void AccessSelector::NoteRule(std::string_view rule) {
  const std::string_view what = rule.substr(1);
  std::string kept;
  for (std::string_view left = commands_text_; !left.empty();) {
    const size_t end = std::min(left.find(' '), left.size());
    const std::string_view word = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    const bool is_subcommand = word.size() > what.size() + 1 && word.substr(1).starts_with(what) &&
                               word[what.size() + 1] == '|';
    if (word.substr(1) == what || is_subcommand) continue;
    if (!kept.empty()) kept += ' ';
    kept += word;
  }
  commands_text_ = kept + ' ' + std::string(rule);
}

Status AccessSelector::AddKeyPattern(std::string_view rule) {
  KeyPattern added;
  if (rule[0] == '%') {
    added.access = 0;
    size_t i = 1;
    for (; i < rule.size() && rule[i] != '~'; ++i) {
      const char flag = rule[i];
      const uint8_t bit = flag == 'R' || flag == 'r'   ? kReadsKey
                          : flag == 'W' || flag == 'w' ? kWritesKey
                                                       : 0;
      if (bit == 0 || (added.access & bit) != 0) return kSyntax;
      added.access |= bit;
    }
    if (i == rule.size() || added.access == 0) return kSyntax;
    rule.remove_prefix(i);
  }
  added.pattern = rule.substr(1);
  if (HasBlankOrNull(added.pattern)) return kSyntax;
  if (all_keys_) return kAfterAllKeys;
  const auto same = std::find_if(keys_.begin(), keys_.end(), [&](const KeyPattern& other) {
    return other.pattern == added.pattern;
  });
  if (same == keys_.end()) {
    keys_.push_back(std::move(added));
  } else {
    same->access |= added.access;
  }
  return Ok();
}

Status AccessSelector::AddChannel(std::string_view pattern) {
  if (HasBlankOrNull(pattern)) return kSyntax;
  if (all_channels_) return kAfterAllChannels;
  if (std::find(channels_.begin(), channels_.end(), pattern) == channels_.end()) {
    channels_.emplace_back(pattern);
  }
  return Ok();
}

bool AccessSelector::AllowsCommand(CommandNumber command, std::string_view first_argument) const {
  if (commands_[command]) return true;
  const auto found = first_arguments_.find(command);
  if (found == first_arguments_.end() || first_argument.empty()) return false;
  return std::any_of(found->second.begin(), found->second.end(), [&](const std::string& allowed) {
    return EqualsIgnoreCase(allowed, first_argument);
  });
}

bool AccessSelector::AllowsKey(std::string_view key, uint8_t access) const {
  if (all_keys_) return true;
  return std::any_of(keys_.begin(), keys_.end(), [&](const KeyPattern& pattern) {
    return (access & ~pattern.access) == 0 && wire::GlobMatch(pattern.pattern, key);
  });
}

bool AccessSelector::AllowsChannel(const ChannelUse& use) const {
  if (all_channels_) return true;
  return std::any_of(channels_.begin(), channels_.end(), [&](const std::string& pattern) {
    return use.is_pattern ? pattern == use.channel : wire::GlobMatch(pattern, use.channel);
  });
}

Verdict AccessSelector::Check(const RequestUse& use) const {
  if (!AllowsCommand(use.command, use.first_argument)) return {Denial::kCommand, {}};
  for (const KeyUse& key : use.keys) {
    if (!AllowsKey(key.key, key.access)) return {Denial::kKey, key.key};
  }
  for (const ChannelUse& channel : use.channels) {
    if (!AllowsChannel(channel)) return {Denial::kChannel, channel.channel};
  }
  return {};
}

bool AccessSelector::ReadsAllKeys() const {
  return all_keys_ || std::any_of(keys_.begin(), keys_.end(), [](const KeyPattern& key) {
           return key.pattern == "*" && (key.access & kReadsKey) != 0;
         });
}

std::string AccessSelector::KeysText() const {
  if (all_keys_) return "~*";
  std::string text;
  for (const KeyPattern& pattern : keys_) {
    if (!text.empty()) text += ' ';
    if (pattern.access == kReadsKey) text += "%R";
    if (pattern.access == kWritesKey) text += "%W";
    text += '~' + pattern.pattern;
  }
  return text;
}

std::string AccessSelector::ChannelsText() const {
  if (all_channels_) return "&*";
  std::string text;
  for (const std::string& channel : channels_) {
    if (!text.empty()) text += ' ';
    text += '&' + channel;
  }
  return text;
}

std::string AccessSelector::Text() const {
  std::string text = KeysText();
  if (!text.empty()) text += ' ';
  if (!all_channels_) text += "resetchannels ";
  const std::string channels = ChannelsText();
  if (!channels.empty()) text += channels + ' ';
  return text + commands_text_;
}

}  // namespace mikura::engine::access
