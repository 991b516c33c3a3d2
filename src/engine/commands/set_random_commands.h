// SPDX-License-Identifier: Apache-2.0
// SPOP and SRANDMEMBER; their rows are in set_commands.cc.
#pragma once

#include "engine/commands/command_context.h"

namespace mikura::engine {

FaultOr<> SPop(CommandContext& ctx);
FaultOr<> SRandMember(CommandContext& ctx);

}  // namespace mikura::engine
