// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/collections/set_value.h"
#include "engine/commands/command_context.h"
#include "engine/keyspace/collection_access.h"

namespace mikura::engine {

using SetView = CollectionView<collections::SetValue>;
using SetEdit = CollectionEdit<collections::SetValue>;

// After members were added: a set of many integers is an intset no longer.
inline void ApplySetLimits(const EncodingLimits& limits, collections::SetValue& set) {
  const int64_t integers_max = limits.set_integers.load(std::memory_order_relaxed);
  if (set.is_intset() && set.size() > static_cast<uint64_t>(integers_max)) set.BecomeHashtable();
}

inline void ApplySetLimits(CommandContext& ctx, collections::SetValue& set) {
  ApplySetLimits(ctx.services.encoding_limits, set);
}

// What a change of the set is told as, and the end of its key where it became empty.
inline void NotifyRemoval(CommandContext& ctx, const Key& key, std::string_view event,
                          bool key_is_gone) {
  ctx.keys.Notify(EventClass::kSet, event, key);
  if (key_is_gone) ctx.keys.Notify(EventClass::kGeneric, "del", key);
}

inline void ReplySetMember(wire::RespWriter& reply, const collections::SetValue::Cursor& cursor) {
  reply.Bulk(cursor.element());
}

}  // namespace mikura::engine
