// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/string_store.h"

#include "engine/commands/command_support.h"

namespace mikura::engine {

FaultOr<> StoreString(CommandContext& ctx, const Key& key, std::string_view value,
                      UnixMillis deadline, bool keeps_deadline) {
  if (deadline <= ctx.now() && ctx.keys.access().may_expire) {
    if (ctx.keys.Erase(key)) AddEffect(ctx, {"DEL", key.name});
    return Ok();
  }
  const FaultOr<store::Found> stored = ctx.keys.SetString(key, value, {.deadline = deadline});
  if (!stored.ok()) return stored.error();
  ctx.keys.Notify(EventClass::kString, "set", key);
  if (!ctx.keys.effects().active()) return Ok();
  if (keeps_deadline) {
    AddEffect(ctx, {"SET", key.name, value, "KEEPTTL"});
  } else if (deadline == store::kNoDeadline) {
    AddEffect(ctx, {"SET", key.name, value});
  } else {
    AddEffect(ctx, {"SET", key.name, value, "PXAT", NumberText(deadline)});
  }
  return Ok();
}

}  // namespace mikura::engine
