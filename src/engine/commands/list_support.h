// SPDX-License-Identifier: Apache-2.0
// What the commands of lists share, those that wait included.
#pragma once

#include <optional>
#include <string_view>

#include "engine/collections/list_value.h"
#include "engine/commands/command_support.h"
#include "engine/keyspace/collection_access.h"

namespace mikura::engine {

using collections::ListValue;
using ListView = CollectionView<ListValue>;
using ListEdit = CollectionEdit<ListValue>;

enum class ListEnd : uint8_t { kHead, kTail };

// LEFT or RIGHT.
std::optional<ListEnd> ParseListEnd(std::string_view word);

void PushAt(ListValue& list, ListEnd end, std::string_view element);

// Stores a list from which something was removed, and tells of it. Errors: kOutOfMemory.
FaultOr<> CommitRemoval(KeyAccess& keys, const Key& key, ListEdit& list, std::string_view event);

struct ListPop {
  ListEnd end;
  uint64_t count = 1;   // at least one and no more than there are
  bool counted = true;  // the command named a count: the effect does so, too
};
// Removes elements and writes them one by one in the order in which they go. Adds the effect.
// Errors: kOutOfMemory; what was replied since `mark` is taken back then.
FaultOr<> PopElements(KeyAccess& keys, wire::RespWriter& reply, size_t mark, const Key& key,
                      ListEdit& list, const ListPop& pop);

struct ListMove {
  const Key& from;
  ListEnd from_end;
  const Key& to;
  ListEnd to_end;
};
// Moves an element, and writes it; null when the source is absent. Adds the effect.
// Errors: kWrongType of either key, kOutOfMemory.
FaultOr<> MoveElement(KeyAccess& keys, wire::RespWriter& reply, const ListMove& move);

// "LEFT | RIGHT [COUNT n]".
struct PopOptions {
  ListEnd end = ListEnd::kHead;
  uint64_t count = 1;
};
// "numkeys key ... LEFT | RIGHT [COUNT n]", from the word `first` on. nullopt after an error reply.
// Errors: kSyntax.
FaultOr<std::optional<PopOptions>> ParsePopOptions(CommandContext& ctx, size_t first);

// Pops as the options say from a list that is not empty, and writes the key's name with the
// elements.
FaultOr<> PopWithName(KeyAccess& keys, wire::RespWriter& reply, const Key& key, ListEdit& list,
                      const PopOptions& options);

inline void ReplyListElement(wire::RespWriter& reply, const ListValue::Cursor& cursor) {
  reply.Bulk(cursor.element());
}

}  // namespace mikura::engine
