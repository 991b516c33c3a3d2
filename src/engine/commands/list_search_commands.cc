// SPDX-License-Identifier: Apache-2.0
// Commands that look for elements of lists. Cost: O(n) in the elements that they pass.
#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/list_support.h"
#include "engine/commands/preparation.h"

namespace mikura::engine {
namespace {

constexpr uint64_t kAll = std::numeric_limits<uint64_t>::max();

// What LREM and LPOS look for.
struct Search {
  std::string_view element;
  bool from_tail = false;
  uint64_t skip = 0;    // matches that do not count
  uint64_t wanted = 0;  // matches
  uint64_t looked_at_max = kAll;
};

constexpr size_t kSearchedWord = 3;  // of LINSERT and LREM

// So many elements are looked at before the search goes on elsewhere: most are over by then.
constexpr uint64_t kLookedAtOnce = 16384;

// The places of the matches, in the order in which the search meets them.
std::vector<uint64_t> Find(const ListValue& list, Search search) {
  std::vector<uint64_t> places;
  const uint64_t size = list.size();
  uint64_t looked_at = 0;
  const auto look = [&](std::string_view element) {
    if (element == search.element) {
      if (search.skip > 0) {
        --search.skip;
      } else {
        places.push_back(search.from_tail ? size - 1 - looked_at : looked_at);
      }
    }
    ++looked_at;
    return looked_at < search.looked_at_max && places.size() < search.wanted;
  };
  if (search.from_tail) {
    list.VisitBackwards(size - 1, look);
    return places;
  }
  for (ListValue::Cursor c(list); !c.at_end() && look(c.element());) c.Next();
  return places;
}

// The same as far as it is done at once; nullopt when it is to be done elsewhere, from the
// beginning.
std::optional<std::vector<uint64_t>> FindAtOnce(const ListValue& list, Search search) {
  if (list.size() <= kLookedAtOnce) return Find(list, search);
  const bool may_pass_all = search.skip > 0 || search.wanted > kLookedAtOnce;
  if (may_pass_all && search.looked_at_max > kLookedAtOnce) return std::nullopt;
  const uint64_t looked_at_max = search.looked_at_max;
  search.looked_at_max = std::min(looked_at_max, kLookedAtOnce);
  std::vector<uint64_t> places = Find(list, search);
  if (places.size() < search.wanted && looked_at_max > kLookedAtOnce) return std::nullopt;
  return places;
}

// Erases the elements at these places, in the order in which a search meets them; neighbours at
// once.
void EraseAll(ListValue& list, std::vector<uint64_t> places, bool from_tail) {
  if (from_tail) std::reverse(places.begin(), places.end());
  for (size_t end = places.size(); end > 0;) {
    size_t begin = end - 1;
    while (begin > 0 && places[begin - 1] + 1 == places[begin]) --begin;
    list.Erase(places[begin], end - begin);
    end = begin;
  }
}

// Looks for elements in a list as it was.
struct PreparedSearch : Preparation {
  using Preparation::Preparation;
  void Compute() override {
    if (!held(0).exists() || held(0).type() != store::ValueType::kList) return;
    const auto& list = *held(0).As<ListValue>();
    places = Find(list, search);
    if (!erases || places.empty()) return;
    EraseAll(rest.emplace(list), places, search.from_tail);
  }

  Search search;  // of a word of the request, which this has
  bool erases = false;
  std::vector<uint64_t> places;
  std::optional<ListValue> rest;
};

std::shared_ptr<PreparedSearch> PrepareSearch(CommandContext& ctx, const Search& search,
                                              bool erases) {
  return Prepare<PreparedSearch>(ctx, [&](PreparedSearch& next) {
    next.Hold(ctx, 0);
    next.search = search;
    next.search.element = next.words()[kSearchedWord];
    next.erases = erases;
  });
}

FaultOr<> InsertBeside(CommandContext& ctx, ListEdit& list, const std::vector<uint64_t>& places,
                       bool after) {
  if (places.empty()) {
    ctx.reply.Integer(-1);
    return Ok();
  }
  list->Insert(after ? places[0] + 1 : places[0], ctx.args[4]);
  const auto size = static_cast<int64_t>(list->size());
  RETURN_IF_ERROR(list.Commit());
  const Key& key = ctx.key_list[0];
  ctx.keys.Notify(EventClass::kList, "linsert", key);
  AddEffect(ctx, {"LINSERT", key.name, after ? "AFTER" : "BEFORE", ctx.args[3], ctx.args[4]});
  ctx.reply.Integer(size);
  return Ok();
}

// LINSERT key BEFORE | AFTER pivot element -> the new length; 0: no list, -1: no pivot.
FaultOr<> LInsert(CommandContext& ctx) {
  const bool after = EqualsIgnoreCase(ctx.args[2], "AFTER");
  if (!after && !EqualsIgnoreCase(ctx.args[2], "BEFORE")) return Fault::kSyntax;
  const Key& key = ctx.key_list[0];
  const Search search{.element = ctx.args[kSearchedWord], .wanted = 1};
  if (!ctx.client.preparation) [[likely]] {
    ASSIGN_OR_RETURN(ListEdit && list, ctx.keys.Edit<ListValue>(key));
    if (!list.existed()) {
      ctx.reply.Integer(0);
      return Ok();
    }
    if (const auto places = FindAtOnce(*list, search)) {
      return InsertBeside(ctx, list, *places, after);
    }
  }
  const auto prepared = PrepareSearch(ctx, search, false);
  if (ctx.outcome == RunOutcome::kPreparing) return Ok();
  ASSIGN_OR_RETURN(ListEdit && list, ctx.keys.Edit<ListValue>(key));
  if (!list.existed()) {
    ctx.reply.Integer(0);
    return Ok();
  }
  return InsertBeside(ctx, list, prepared ? prepared->places : Find(*list, search), after);
}

// Stores what is left, and tells of it.
FaultOr<> FinishRemoval(CommandContext& ctx, ListEdit& list, size_t removed) {
  if (removed > 0) {
    const Key& key = ctx.key_list[0];
    RETURN_IF_ERROR(CommitRemoval(ctx.keys, key, list, "lrem"));
    AddEffect(ctx, {"LREM", key.name, ctx.args[2], ctx.args[3]});
  }
  ctx.reply.Integer(static_cast<int64_t>(removed));
  return Ok();
}

FaultOr<> RemoveFound(CommandContext& ctx, ListEdit& list, const std::vector<uint64_t>& places,
                      bool from_tail) {
  EraseAll(*list, places, from_tail);
  return FinishRemoval(ctx, list, places.size());
}

// LREM key count element -> how many were removed: all (0), the first, or with a negative count the
// last ones.
FaultOr<> LRem(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const int64_t count, ToInteger(ctx.args[2]));
  const Key& key = ctx.key_list[0];
  const auto magnitude = count < 0 ? -static_cast<uint64_t>(count) : static_cast<uint64_t>(count);
  const Search search{.element = ctx.args[kSearchedWord],
                      .from_tail = count < 0,
                      .wanted = count == 0 ? kAll : magnitude};
  if (!ctx.client.preparation) [[likely]] {
    ASSIGN_OR_RETURN(ListEdit && list, ctx.keys.Edit<ListValue>(key));
    if (!list.existed()) return FinishRemoval(ctx, list, 0);
    if (const auto places = FindAtOnce(*list, search)) {
      return RemoveFound(ctx, list, *places, search.from_tail);
    }
  }
  // Nothing has it open for a change, which would make a further copy of what is held.
  const auto prepared = PrepareSearch(ctx, search, true);
  if (ctx.outcome == RunOutcome::kPreparing) return Ok();
  if (prepared && prepared->rest) {
    ListEdit list(ctx.keys, key, std::move(*prepared->rest));
    return FinishRemoval(ctx, list, prepared->places.size());
  }
  ASSIGN_OR_RETURN(ListEdit && list, ctx.keys.Edit<ListValue>(key));
  if (!list.existed()) return FinishRemoval(ctx, list, 0);
  return RemoveFound(ctx, list, prepared ? prepared->places : Find(*list, search),
                     search.from_tail);
}

struct PositionOptions {
  int64_t rank = 1;
  std::optional<uint64_t> count;  // 0: all
  uint64_t length_max = 0;        // 0: no limit
};

// A count that may be 0; nullopt after an error reply.
std::optional<uint64_t> TakeCount(CommandContext& ctx, std::string_view text,
                                  std::string_view complaint) {
  const std::optional<int64_t> value = ParseInt64(text);
  if (value && *value >= 0) return static_cast<uint64_t>(*value);
  ctx.reply.Error("ERR", complaint);
  return std::nullopt;
}

// False after an error reply.
bool TakeRank(CommandContext& ctx, std::string_view text, int64_t& rank) {
  const std::optional<int64_t> value = ParseInt64(text);
  if (!value) {
    ctx.reply.Error("ERR", "value is not an integer or out of range");
  } else if (*value == std::numeric_limits<int64_t>::min()) {
    ctx.reply.Error("ERR",
                    "value is out of range, value must between -9223372036854775807 and "
                    "9223372036854775807");
  } else if (*value == 0) {
    ctx.reply.Error("ERR",
                    "RANK can't be zero: use 1 to start from the first match, 2 from the second "
                    "... or use negative to start from the end of the list");
  } else {
    rank = *value;
    return true;
  }
  return false;
}

// nullopt after an error reply. Errors: kSyntax.
FaultOr<std::optional<PositionOptions>> ParsePositionOptions(CommandContext& ctx) {
  PositionOptions options;
  for (size_t i = 3; i < ctx.args.size(); i += 2) {
    const std::string_view option = ctx.args[i];
    if (i + 1 == ctx.args.size()) return Fault::kSyntax;
    const std::string_view value = ctx.args[i + 1];
    if (EqualsIgnoreCase(option, "RANK")) {
      if (!TakeRank(ctx, value, options.rank)) return std::optional<PositionOptions>();
    } else if (EqualsIgnoreCase(option, "COUNT")) {
      options.count = TakeCount(ctx, value, "COUNT can't be negative");
      if (!options.count) return std::optional<PositionOptions>();
    } else if (EqualsIgnoreCase(option, "MAXLEN")) {
      const std::optional<uint64_t> length = TakeCount(ctx, value, "MAXLEN can't be negative");
      if (!length) return std::optional<PositionOptions>();
      options.length_max = *length;
    } else {
      return Fault::kSyntax;
    }
  }
  return std::optional(options);
}

void ReplyPlaces(wire::RespWriter& reply, const std::vector<uint64_t>& places, bool has_count) {
  if (has_count) {
    reply.Array(places.size());
    for (const uint64_t place : places) reply.Integer(static_cast<int64_t>(place));
  } else if (places.empty()) {
    reply.Null();
  } else {
    reply.Integer(static_cast<int64_t>(places[0]));
  }
}

class PlacesReply final : public ReplyComputation {
 public:
  PlacesReply(store::CollectionMemory& memory, const store::Found& found, const Search& search,
              bool has_count)
      : list_(memory, found), element_(search.element), search_(search), has_count_(has_count) {
    search_.element = element_;
  }
  void Write(wire::RespWriter& reply) override {
    ReplyPlaces(reply, Find(*list_.As<ListValue>(), search_), has_count_);
  }

 private:
  const HeldValue list_;
  const std::string element_;
  Search search_;
  const bool has_count_;
};

// LPOS key element [RANK n] [COUNT n] [MAXLEN n] -> the place of a match or null; with COUNT an
// array of places.
FaultOr<> LPos(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const std::optional<PositionOptions> options, ParsePositionOptions(ctx));
  if (!options) return Ok();
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(const ListView& list, ctx.keys.View<ListValue>(key));
  const uint64_t wanted = options->count.value_or(1);
  const bool has_count = options->count.has_value();
  if (!list) {
    ReplyPlaces(ctx.reply, {}, has_count);
    return Ok();
  }
  const bool from_tail = options->rank < 0;
  const Search search{.element = ctx.args[2],
                      .from_tail = from_tail,
                      .skip = static_cast<uint64_t>(from_tail ? -options->rank : options->rank) - 1,
                      .wanted = wanted == 0 ? kAll : wanted,
                      .looked_at_max = options->length_max == 0 ? kAll : options->length_max};
  if (const auto places = FindAtOnce(*list, search)) {
    ReplyPlaces(ctx.reply, *places, has_count);
  } else if (MayReplyLater(ctx)) {
    ReplyFrom(ctx,
              std::make_shared<PlacesReply>(CollectionMemoryOf(ctx.keys), ctx.keys.Peek(key),
                                            search, has_count),
              1);
  } else {
    ReplyPlaces(ctx.reply, Find(*list, search), has_count);
  }
  return Ok();
}

constexpr CommandSpec kListSearchCommands[] = {
    {.name = "LINSERT",
     .handler = LInsert,
     .arity = Exactly(5),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom,
     .acl = kAclList,
     .group = "list",
     .since = "2.2.0",
     .summary = "Puts an element beside another one.",
     .key_access = "RW insert"},
    {.name = "LREM",
     .handler = LRem,
     .arity = Exactly(4),
     .keys = OneKeyAt(1),
     .flags = kWrite,
     .acl = kAclList,
     .group = "list",
     .since = "1.0.0",
     .summary = "Removes elements that equal a word.",
     .key_access = "RW delete"},
    {.name = "LPOS",
     .handler = LPos,
     .arity = AtLeast(3),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclList,
     .group = "list",
     .since = "6.0.6",
     .summary = "Returns the places of elements that equal a word.",
     .key_access = "RO access"},
};

}  // namespace

std::span<const CommandSpec> ListSearchCommands() { return kListSearchCommands; }

}  // namespace mikura::engine
