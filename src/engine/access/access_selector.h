// SPDX-License-Identifier: Apache-2.0
// One set of rights: commands, keys and channels. A user has one, and may have further ones; a
// request is allowed when one of them allows all of it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/access/access_catalog.h"

namespace mikura::engine::access {

inline constexpr uint8_t kReadsKey = 1;
inline constexpr uint8_t kWritesKey = 2;

struct KeyPattern {
  std::string pattern;
  uint8_t access = kReadsKey | kWritesKey;

  bool operator==(const KeyPattern&) const = default;
};

// A key of a request, and what is done to it.
struct KeyUse {
  std::string_view key;
  uint8_t access = 0;
};
struct ChannelUse {
  std::string_view channel;
  bool is_pattern = false;  // of PSUBSCRIBE: must be one of the patterns as it stands
};

// What a request would do. The spans live as long as the check.
struct RequestUse {
  CommandNumber command = 0;
  std::string_view first_argument;  // behind the command, or its subcommand; empty: none
  std::span<const KeyUse> keys;
  std::span<const ChannelUse> channels;
};

enum class Denial : uint8_t { kNone, kCommand, kKey, kChannel };
struct Verdict {
  Denial denial = Denial::kNone;
  std::string_view object;  // the key or channel that is denied

  bool allowed() const { return denial == Denial::kNone; }
};

class AccessSelector {
 public:
  // Without any right.
  explicit AccessSelector(const AccessCatalog& catalog)
      : catalog_(&catalog), commands_(catalog.size(), false) {}

  // Applies one rule: "+get", "-@all", "~pattern", "%R~pattern", "&channel", "allkeys" ... The
  // error is what Redis says behind "Error in ACL SETUSER modifier 'X': ". Nothing has changed
  // then.
  Status Apply(std::string_view rule);

  Verdict Check(const RequestUse& use) const;
  bool AllowsCommand(CommandNumber command, std::string_view first_argument) const;
  bool AllowsKey(std::string_view key, uint8_t access) const;
  // Whether any key may be read, by one right.
  bool ReadsAllKeys() const;
  bool AllowsChannel(const ChannelUse& use) const;
  // Whether nothing that exists could be denied: then nobody needs to ask.
  bool is_unrestricted() const { return all_keys_ && all_channels_ && all_commands_; }

  // As ACL GETUSER shows them.
  std::string CommandsText() const { return commands_text_; }
  std::string KeysText() const;
  std::string ChannelsText() const;
  // As ACL LIST shows all of it.
  std::string Text() const;

 private:
  Status ApplyCommandRule(std::string_view name, bool allow);
  Status ApplyCategory(std::string_view name, bool allow);
  Status AllowFirstArgument(std::string_view name, std::string_view argument);
  Status AddKeyPattern(std::string_view rule);
  Status AddChannel(std::string_view pattern);
  void SetAllCommands(bool allow);
  void SetCommand(CommandNumber number, bool allow);
  void NoteRule(std::string_view rule);

  const AccessCatalog* catalog_;
  std::vector<bool> commands_;
  bool all_commands_ = false;  // also those that are not known yet
  // Of commands that are not allowed as a whole: the first arguments with which they are.
  std::map<CommandNumber, std::vector<std::string>> first_arguments_;
  std::string commands_text_ = "-@all";
  bool all_keys_ = false;
  std::vector<KeyPattern> keys_;
  bool all_channels_ = false;
  std::vector<std::string> channels_;
};

}  // namespace mikura::engine::access
