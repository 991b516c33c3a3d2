// SPDX-License-Identifier: Apache-2.0
// Reads of many elements of one collection that the request names (HMGET of 100,000 fields): from
// the collection as it was, on another thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/commands/computation.h"
#include "engine/commands/held_value.h"
#include "engine/keyspace/collection_access.h"

namespace mikura::engine {

struct NamedElements {
  NamedElements(store::CollectionMemory& memory, const store::Found& found,
                std::span<const std::string_view> words)
      : collection(memory, found), names(words.begin(), words.end()) {}
  const HeldValue collection;
  const std::vector<std::string> names;
};

// Replies with an array of what write(reply, collection, name) writes for each word from the third
// on; `collection` is null when the row's key is absent. Errors: kWrongType.
template <typename T, typename Write>
FaultOr<> ReplyForNames(CommandContext& ctx, const Write& write) {
  constexpr size_t kAtOnce = 8192;
  constexpr uint64_t kElementBytes = 16;
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(const CollectionView<T>& view, ctx.keys.View<T>(key));
  const std::span<const std::string_view> names = ctx.args.subspan(2);
  if (names.size() <= kAtOnce || !MayReplyLater(ctx)) {
    const T* const collection = view ? &*view : nullptr;
    ctx.reply.Array(names.size());
    for (const std::string_view name : names) write(ctx.reply, collection, name);
    return Ok();
  }
  const auto own = std::make_shared<const NamedElements>(CollectionMemoryOf(ctx.keys),
                                                         ctx.keys.Peek(key), names);
  auto computation = std::make_shared<FunctionReply>([own, write](wire::RespWriter& reply) {
    reply.Array(own->names.size());
    for (const std::string& name : own->names) write(reply, own->collection.As<T>(), name);
  });
  ReplyFrom(ctx, std::move(computation), names.size() * kElementBytes);
  return Ok();
}

}  // namespace mikura::engine
