// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/list_support.h"

#include <algorithm>
#include <string>

#include "engine/commands/long_reply.h"

namespace mikura::engine {
namespace {

std::string_view NameOf(ListEnd end) { return end == ListEnd::kHead ? "LEFT" : "RIGHT"; }
std::string_view PopEvent(ListEnd end) { return end == ListEnd::kHead ? "lpop" : "rpop"; }
std::string_view PushEvent(ListEnd end) { return end == ListEnd::kHead ? "lpush" : "rpush"; }

// Takes one element off; the list holds one.
std::string TakeAt(ListValue& list, ListEnd end) {
  const uint64_t index = end == ListEnd::kHead ? 0 : list.size() - 1;
  std::string element(list.At(index));
  list.Erase(index);
  return element;
}

// One key, from one of its ends to the other, or to the same.
FaultOr<> Rotate(KeyAccess& keys, const ListMove& move, ListEdit& list, std::string_view element) {
  PushAt(*list, move.to_end, element);
  ASSIGN_OR_RETURN(const bool removed, list.Commit());
  DCHECK(!removed);
  keys.Notify(EventClass::kList, PushEvent(move.to_end), move.to);
  keys.Notify(EventClass::kList, PopEvent(move.from_end), move.from);
  return Ok();
}

FaultOr<> MoveAcross(KeyAccess& keys, const ListMove& move, ListEdit& source, ListEdit& target,
                     std::string_view element) {
  PushAt(*target, move.to_end, element);
  ASSIGN_OR_RETURN(const bool removed, target.Commit());
  DCHECK(!removed);
  keys.Notify(EventClass::kList, PushEvent(move.to_end), move.to);
  const FaultOr<> taken = CommitRemoval(keys, move.from, source, PopEvent(move.from_end));
  if (!taken.ok()) {  // so it is in both now, at replicas too
    keys.effects().Add(keys.database(),
                       {move.to_end == ListEnd::kHead ? "LPUSH" : "RPUSH", move.to.name, element});
  }
  return taken;
}

// A number of at least one; otherwise the error is replied. nullopt then.
std::optional<uint64_t> TakePositive(CommandContext& ctx, std::string_view text,
                                     std::string_view complaint) {
  const std::optional<int64_t> count = ParseInt64(text);
  if (count && *count > 0) return static_cast<uint64_t>(*count);
  ctx.reply.Error("ERR", complaint);
  return std::nullopt;
}

}  // namespace

std::optional<ListEnd> ParseListEnd(std::string_view word) {
  if (EqualsIgnoreCase(word, "LEFT")) return ListEnd::kHead;
  if (EqualsIgnoreCase(word, "RIGHT")) return ListEnd::kTail;
  return std::nullopt;
}

void PushAt(ListValue& list, ListEnd end, std::string_view element) {
  list.Insert(end == ListEnd::kHead ? 0 : list.size(), element);
}

FaultOr<> CommitRemoval(KeyAccess& keys, const Key& key, ListEdit& list, std::string_view event) {
  ASSIGN_OR_RETURN(const bool removed, list.Commit());
  keys.Notify(EventClass::kList, event, key);
  if (removed) keys.Notify(EventClass::kGeneric, "del", key);
  return Ok();
}

FaultOr<> PopElements(KeyAccess& keys, wire::RespWriter& reply, size_t mark, const Key& key,
                      ListEdit& list, const ListPop& pop) {
  const ListEnd end = pop.end;
  const uint64_t count = pop.count;
  const uint64_t size = list->size();
  const bool at_tail = end == ListEnd::kTail;
  uint64_t left = count;
  const bool is_later =
      ReplyLater(keys, reply, std::as_const(*list), count, [&](const ListValue& copy) {
        return RangeWalk(ListValue::Cursor(copy, at_tail ? size - 1 : 0), count, ReplyListElement,
                         at_tail);
      });
  if (is_later) {
    list->Erase(at_tail ? size - count : 0, count);
  } else if (!at_tail) {
    for (ListValue::Cursor c(*list); left > 0; c.Next(), --left) reply.Bulk(c.element());
    list->Erase(0, count);
  } else {
    list->VisitBackwards(size - 1, [&](std::string_view element) {
      reply.Bulk(element);
      return --left > 0;
    });
    list->Erase(size - count, count);
  }
  const FaultOr<> committed = CommitRemoval(keys, key, list, PopEvent(end));
  if (!committed.ok()) {
    reply.out().Truncate(mark);
    return committed;
  }
  const std::string_view name = end == ListEnd::kHead ? "LPOP" : "RPOP";
  if (pop.counted) {
    keys.effects().Add(keys.database(), {name, key.name, NumberText(static_cast<int64_t>(count))});
  } else {
    keys.effects().Add(keys.database(), {name, key.name});
  }
  return Ok();
}

FaultOr<> MoveElement(KeyAccess& keys, wire::RespWriter& reply, const ListMove& move) {
  ASSIGN_OR_RETURN(ListEdit && source, keys.Edit<ListValue>(move.from));
  if (!source.existed()) {
    reply.Null();
    return Ok();
  }
  std::string element;
  if (move.from.name == move.to.name) {
    element = TakeAt(*source, move.from_end);
    RETURN_IF_ERROR(Rotate(keys, move, source, element));
  } else {
    ASSIGN_OR_RETURN(ListEdit && target, keys.Edit<ListValue>(move.to));
    element = TakeAt(*source, move.from_end);
    RETURN_IF_ERROR(MoveAcross(keys, move, source, target, element));
  }
  keys.effects().Add(keys.database(), {"LMOVE", move.from.name, move.to.name, NameOf(move.from_end),
                                       NameOf(move.to_end)});
  reply.Bulk(element);
  return Ok();
}

FaultOr<std::optional<PopOptions>> ParsePopOptions(CommandContext& ctx, size_t first) {
  using Outcome = std::optional<PopOptions>;
  const std::optional<uint64_t> keys =
      TakePositive(ctx, ctx.args[first], "numkeys should be greater than 0");
  if (!keys) return Outcome();
  if (*keys >= ctx.args.size() - first - 1) return Fault::kSyntax;
  const auto words = ctx.args.subspan(first + 1 + static_cast<size_t>(*keys));
  const std::optional<ListEnd> end = ParseListEnd(words[0]);
  if (!end) return Fault::kSyntax;
  PopOptions options{.end = *end};
  if (words.size() == 1) return Outcome(options);
  if (words.size() == 2 || !EqualsIgnoreCase(words[1], "COUNT")) return Fault::kSyntax;
  const std::optional<uint64_t> count =
      TakePositive(ctx, words[2], "count should be greater than 0");
  if (!count) return Outcome();
  if (words.size() > 3) return Fault::kSyntax;
  options.count = *count;
  return Outcome(options);
}

FaultOr<> PopWithName(KeyAccess& keys, wire::RespWriter& reply, const Key& key, ListEdit& list,
                      const PopOptions& options) {
  const size_t mark = reply.out().size();
  const uint64_t count = std::min(options.count, list->size());
  reply.Array(2);
  reply.Bulk(key.name);
  reply.Array(static_cast<size_t>(count));
  return PopElements(keys, reply, mark, key, list, {options.end, count});
}

}  // namespace mikura::engine
