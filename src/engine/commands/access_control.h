// SPDX-License-Identifier: Apache-2.0
// Access lists as the server uses them: users, and what a request of a client would do.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "engine/access/access_users.h"
#include "engine/commands/client_state.h"
#include "engine/commands/command_spec.h"
#include "engine/commands/command_table.h"

namespace mikura::engine {

// Where a denied request came from, as ACL LOG names it.
enum class AccessContext : uint8_t { kTopLevel, kMulti, kScript };

// Thread-safe.
class AccessControl {
 public:
  explicit AccessControl(const CommandTable& table);

  access::AccessUsers& users() { return users_; }
  // Whether clients must log in before they may do anything: nobody becomes "default" by itself.
  bool RequiresAuthentication() const;

  // Makes `client` the user; false when user or password is wrong.
  bool Login(ClientState& client, std::string_view user, std::string_view password);
  // Takes over what changed about the client's user. A user that was removed is logged out. One
  // load when nothing changed.
  void Refresh(ClientState& client) {
    if (!IsFresh(client)) [[unlikely]]
      RefreshSlow(client);
  }
  bool IsFresh(const ClientState& client) const {
    return client.rights_version == users_.version();
  }

  // Whether `client`, which was refreshed, may run the request. `spec`: the subcommand's row when
  // there is one. Cost: nothing for a user who may do everything.
  access::Verdict Check(const ClientState& client, const CommandSpec& spec,
                        std::span<const std::string_view> args) {
    if (client.is_unrestricted) [[likely]]
      return {};
    return CheckUser(*client.rights, spec, args);
  }
  access::Verdict CheckUser(const access::AccessUser& user, const CommandSpec& spec,
                            std::span<const std::string_view> args) const;
  // Whether the request, which is allowed, may look at keys that it does not name (SORT BY
  // pattern).
  bool MayReadAllKeys(const ClientState& client, const CommandSpec& spec,
                      std::span<const std::string_view> args) const;
  // Whether some selector of the user allows the command, whatever its keys.
  bool AllowsCommand(const access::AccessUser& user, const CommandSpec& spec,
                     std::span<const std::string_view> args) const;

  // Remembers a denial for ACL LOG. describe: the text of CLIENT LIST for the client.
  void NoteDenial(const access::Verdict& verdict, const CommandSpec& spec, AccessContext context,
                  const ClientState& client, std::string client_text, UnixMillis now);
  void NoteFailedLogin(std::string_view user, AccessContext context, std::string client_text,
                       UnixMillis now);

 private:
  access::CommandNumber NumberOf(const CommandSpec& spec) const { return numbers_.at(&spec); }
  void RefreshSlow(ClientState& client) const;

  std::unordered_map<const CommandSpec*, access::CommandNumber> numbers_;
  access::AccessUsers users_;
};

// The words behind "NOPERM " with which a request is denied, and those of ACL DRYRUN.
std::string DenialMessage(const access::Verdict& verdict, const CommandSpec& spec);
std::string DenialExplanation(const access::Verdict& verdict, const CommandSpec& spec);

}  // namespace mikura::engine
