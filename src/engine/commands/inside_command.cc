// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/inside_command.h"

#include "engine/commands/fault_replies.h"

namespace mikura::engine {

void RunInside(CommandContext& outer, HeldShards held, const InsideCommand& command,
               wire::RespWriter& reply) {
  KeyAccess keys(outer.keyspace, outer.keys.effects(), outer.client.database, outer.keys.access(),
                 held);
  CommandContext context{.args = command.args,
                         .key_list = command.keys,
                         .keys = keys,
                         .reply = reply,
                         .client = outer.client,
                         .keyspace = outer.keyspace,
                         .services = outer.services,
                         .table = outer.table,
                         .spec = command.spec,
                         .may_wait = false};
  const FaultOr<> outcome = command.spec.handler(context);
  if (!outcome.ok()) {
    const FaultReply& words = ReplyFor(outcome.error());
    reply.Error(words.code, words.message);
  }
  if ((command.spec.flags & kReadOnly) != 0) outer.keys.CountInside(keys);
}

}  // namespace mikura::engine
