// SPDX-License-Identifier: Apache-2.0
// SORT and SORT_RO. Where a pattern names other keys, the dispatcher lets the handler take their
// shards as they come up, under the script token (CommandSpec::reads_unnamed_keys).
#include <memory>
#include <utility>

#include "engine/collections/list_value.h"
#include "engine/collections/set_value.h"
#include "engine/collections/sorted_set_value.h"
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/preparation.h"
#include "engine/commands/sort_request.h"
#include "engine/commands/sorter.h"
#include "engine/keyspace/collection_access.h"

namespace mikura::engine {
namespace {

using collections::ListValue;
using collections::SetValue;
using collections::SortedSetValue;

// SORT makes a sorted set a skiplist for good, as OBJECT ENCODING tells, and ZSCAN shows.
void MakeSkiplist(CommandContext& ctx, const Key& key) {
  FaultOr<CollectionEdit<SortedSetValue>> set = ctx.keys.Edit<SortedSetValue>(key);
  if (!set.ok() || (*set)->is_skiplist()) return;
  (*set)->set_is_skiplist();
  const FaultOr<> stored = set->CommitUnobserved();
  (void)stored;  // without memory the name stays
}

// The key to be sorted. Errors: kWrongType.
FaultOr<store::Found> FindSorted(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  store::Found found = ctx.keys.Find(key);
  if (!found) return found;
  if (found.entry.type() == store::ValueType::kSortedSet) {
    MakeSkiplist(ctx, key);
    found = ctx.keys.Peek(key);
    return found;
  }
  const store::ValueType type = found.entry.type();
  if (type != store::ValueType::kList && type != store::ValueType::kSet) return Fault::kWrongType;
  return found;
}

// DEL and RPUSH, some elements at a time.
void AddListEffects(CommandContext& ctx, const Key& key, const ListValue& list) {
  if (!ctx.keys.effects().active()) return;
  constexpr size_t kElementsMax = 1000;
  AddEffect(ctx, {"DEL", key.name});
  std::vector<std::string_view> words;
  for (ListValue::Cursor at(list); !at.at_end(); at.Next()) {
    if (words.empty()) words = {"RPUSH", key.name};
    words.push_back(at.element());
    if (words.size() < kElementsMax) continue;
    ctx.keys.effects().Add(ctx.keys.database(), words);
    words.clear();
  }
  if (!words.empty()) ctx.keys.effects().Add(ctx.keys.database(), words);
}

FaultOr<> StoreList(CommandContext& ctx, ListValue list) {
  const Key& destination = ctx.key_list[1];
  const auto count = static_cast<int64_t>(list.size());
  if (count > 0) AddListEffects(ctx, destination, list);
  ASSIGN_OR_RETURN(const bool removed, ctx.keys.StoreCollection(destination, std::move(list)));
  if (count > 0) {
    ctx.keys.Notify(EventClass::kList, "sortstore", destination);
  } else if (removed) {
    ctx.keys.Notify(EventClass::kGeneric, "del", destination);
    AddEffect(ctx, {"DEL", destination.name});
  }
  ctx.reply.Integer(count);
  return Ok();
}

// The words of an error; empty when there is none.
std::string_view Order(Sorter& sorter) {
  // More than any client reads: GET repeated without end.
  constexpr uint64_t kResultsMax = INT32_MAX;
  if (!sorter.Arrange()) return "One or more scores can't be converted into double";
  if (sorter.result_count() > kResultsMax) return "SORT would return too many elements";
  return {};
}

void ReplySorted(wire::RespWriter& reply, Sorter& sorter) {
  if (const std::string_view complaint = Order(sorter); !complaint.empty()) {
    return reply.Error("ERR", complaint);
  }
  reply.Array(static_cast<size_t>(sorter.result_count()));
  sorter.VisitResults([&](std::string_view value, bool has_value) {
    if (has_value) {
      reply.Bulk(value);
    } else {
      reply.Null();
    }
  });
}

// The elements in order; null after an error, whose words are in `complaint`.
std::unique_ptr<ListValue> MakeSorted(Sorter& sorter, collections::NodeMemory& memory,
                                      std::string_view& complaint) {
  complaint = Order(sorter);
  if (!complaint.empty()) return nullptr;
  auto list = std::make_unique<ListValue>(memory);
  sorter.VisitResults([&](std::string_view value, bool) { list->PushBack(value); });
  return list;
}

// ---- What is long, and names no other keys, is sorted elsewhere.

class SortReply final : public ReplyComputation {
 public:
  SortReply(store::CollectionMemory& memory, const store::Found& found, const SortRequest& request)
      : value_(memory, found), request_(request) {}
  void Write(wire::RespWriter& reply) override {
    Sorter sorter(nullptr, request_, false);
    sorter.Load(*value_.collection());
    ReplySorted(reply, sorter);
  }

 private:
  const HeldValue value_;
  const SortRequest request_;
};

struct SortedList final : Preparation {
  using Preparation::Preparation;
  void Compute() override {
    Sorter sorter(nullptr, request, false);
    sorter.Load(*held(0).collection());
    list = MakeSorted(sorter, *memory, complaint);
  }

  SortRequest request;
  collections::NodeMemory* memory = nullptr;
  std::unique_ptr<ListValue> list;
  std::string_view complaint;
};

void LoadFound(Sorter& sorter, collections::NodeMemory& memory, const store::Found& found) {
  if (!found) return;
  switch (found.entry.type()) {
    case store::ValueType::kList:
      return sorter.Load(*CollectionView<ListValue>(memory, found.entry));
    case store::ValueType::kSet:
      return sorter.Load(*CollectionView<SetValue>(memory, found.entry));
    default:
      return sorter.Load(*CollectionView<SortedSetValue>(memory, found.entry));
  }
}

bool IsSortedElsewhere(const SortRequest& request, const store::Found& found) {
  // About 4096 elements.
  constexpr size_t kBytesAtOnce = 100 << 10;
  const bool needs_keys = !request.gets.empty() || (request.by && !request.keeps_order);
  const collections::Collection* const large = found ? found.entry.collection() : nullptr;
  return large != nullptr && !needs_keys && large->memory_bytes() > kBytesAtOnce;
}

FaultOr<> SortAndStore(CommandContext& ctx, const SortRequest& request, const store::Found& found) {
  std::shared_ptr<SortedList> prepared;
  collections::NodeMemory& memory = ctx.keys.node_memory();
  if (IsSortedElsewhere(request, found)) {
    prepared = Prepare<SortedList>(ctx, [&](SortedList& next) {
      next.Hold(ctx, 0);
      next.memory = &memory;
      next.request = request;
      next.request.by.reset();  // a view, of which keeps_order has what counts
    });
    if (ctx.outcome == RunOutcome::kPreparing) return Ok();
  }
  std::unique_ptr<ListValue> list;
  std::string_view complaint;
  if (prepared) {
    list = std::move(prepared->list);
    complaint = prepared->complaint;
  } else {
    Sorter sorter(&ctx, request, ctx.is_in_script);
    LoadFound(sorter, memory, found);
    list = MakeSorted(sorter, memory, complaint);
  }
  if (list) return StoreList(ctx, std::move(*list));
  ctx.reply.Error("ERR", complaint);
  return Ok();
}

// SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] [STORE key].
// Cost: O(n log n), and a lookup of each element for each pattern; memory for a copy of all
// elements.
FaultOr<> Sort(CommandContext& ctx) {
  const std::optional<SortRequest> request = ParseSort(ctx);
  if (!request) return Ok();
  ASSIGN_OR_RETURN(const store::Found found, FindSorted(ctx));
  if (request->stores) return SortAndStore(ctx, *request, found);
  if (IsSortedElsewhere(*request, found) && MayReplyLater(ctx)) {
    SortRequest own = *request;
    own.by.reset();  // a view, of which keeps_order has what counts
    ReplyFrom(ctx, std::make_shared<SortReply>(CollectionMemoryOf(ctx.keys), found, own),
              found.entry.collection()->memory_bytes());
    return Ok();
  }
  Sorter sorter(&ctx, *request, ctx.is_in_script);
  LoadFound(sorter, ctx.keys.node_memory(), found);
  ReplySorted(ctx.reply, sorter);
  return Ok();
}

constexpr KeySpec kSortKeys[] = {
    KeysInRange("RO access", 1, 1),
    {.access = "RO access",
     .notes = "For the optional BY/GET keyword. It is marked 'unknown' because the key names "
              "derive from the content of the key we sort",
     .is_unknown = true},
    {.access = "OW update",
     .notes = "For the optional STORE keyword. It is marked 'unknown' because the keyword can "
              "appear anywhere in the argument array",
     .is_unknown = true},
};

constexpr CommandSpec kSortCommands[] = {
    {.name = "SORT",
     .handler = Sort,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom | kMovableKeys,
     .acl = kAclSet | kAclSortedSet | kAclList | kAclDangerous,
     .group = "generic",
     .since = "1.0.0",
     .summary = "Sorts a list, a set or a sorted set; the result may be stored.",
     .key_specs = kSortKeys,
     .find_keys = FindSortKeys,
     .reads_unnamed_keys = SortReadsUnnamedKeys},
    {.name = "SORT_RO",
     .handler = Sort,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly | kMovableKeys,
     .acl = kAclSet | kAclSortedSet | kAclList | kAclDangerous,
     .group = "generic",
     .since = "7.0.0",
     .summary = "Returns the sorted elements of a list, a set or a sorted set.",
     .key_specs = std::span(kSortKeys).first(2),
     .reads_unnamed_keys = SortReadsUnnamedKeys},
};

}  // namespace

std::span<const CommandSpec> SortCommands() { return kSortCommands; }

}  // namespace mikura::engine
