// SPDX-License-Identifier: Apache-2.0
// The ACL file, and what follows for clients when users change.
#pragma once

#include <string>
#include <string_view>

#include "engine/access/access_users.h"
#include "engine/commands/command_context.h"

namespace mikura::engine {

// Ends the clients of the user, soon.
void DisconnectUser(CommandContext& ctx, std::string_view name);

// ACL LOAD and ACL SAVE.
FaultOr<> AclLoad(CommandContext& ctx);
FaultOr<> AclSave(CommandContext& ctx);

// Replaces the users by those of the file; returns the names of those that are gone or changed.
// Blocks for as long as reading takes. Errors: the file cannot be read, or is wrong; nothing has
// changed then.
Result<std::vector<std::string>> LoadAclFile(access::AccessUsers& users, const std::string& path);
Result<std::string> ReadAclFile(const std::string& path);

}  // namespace mikura::engine
