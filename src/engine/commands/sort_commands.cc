// SPDX-License-Identifier: Apache-2.0
// SORT and SORT_RO. Where a pattern names other keys, the dispatcher lets the handler take their
// shards as they come up, under the script token (CommandSpec::reads_unnamed_keys).
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "engine/collections/list_value.h"
#include "engine/collections/set_value.h"
#include "engine/collections/sorted_set_value.h"
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/preparation.h"
#include "engine/commands/sort_pattern.h"
#include "engine/commands/sort_request.h"
#include "engine/keyspace/collection_access.h"

namespace mikura::engine {
namespace {

using collections::ListValue;
using collections::SetValue;
using collections::SortedSetValue;

// Texts in one piece of memory.
class Texts {
 public:
  void Add(std::string_view text) {
    bytes_ += text;
    ends_.push_back(bytes_.size());
  }
  size_t size() const { return ends_.size(); }
  std::string_view operator[](size_t index) const {
    const size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(bytes_).substr(begin, ends_[index] - begin);
  }

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
};

struct SortItem {
  std::string_view element;
  double score = 0;
  std::string_view weight;  // what ALPHA compares
  bool has_weight = false;
};

// Places [first, first + count) of all that is sorted.
struct SortRange {
  uint64_t first = 0;
  uint64_t count = 0;
};

SortRange RangeOf(const SortRequest& request, uint64_t size) {
  const auto total = static_cast<int64_t>(size);
  const int64_t start = std::clamp<int64_t>(request.limit_start, 0, total);
  const int64_t rest = total - start;
  const int64_t count =
      request.limit_count < 0 ? rest : std::min<int64_t>(request.limit_count, rest);
  return {static_cast<uint64_t>(start), static_cast<uint64_t>(count)};
}

// Text up to a zero byte: as far as the C library compares.
std::string_view Comparable(std::string_view text) { return text.substr(0, text.find('\0')); }

// The number that the whole text is, up to a zero byte; nothing is 0. Nullopt when it is none.
std::optional<double> SortScore(const std::string& text) {
  if (const std::optional<int64_t> integer = ParseInt64(text)) {
    return static_cast<double>(*integer);
  }
  char* end = nullptr;
  errno = 0;
  const double score = std::strtod(text.c_str(), &end);
  if (*end != '\0' || errno == ERANGE || std::isnan(score)) return std::nullopt;
  return score;
}

class Sorter {
 public:
  // ctx: for patterns that name other keys; null where there are none.
  Sorter(CommandContext* ctx, const SortRequest& request, bool is_in_script)
      : ctx_(ctx), request_(request), is_in_script_(is_in_script) {}

  // Copies the elements, and puts them in order.
  void Load(const collections::Collection& collection);
  // False when some score is no number.
  bool Arrange();
  // Calls visit(element, has_value) for everything that the command returns, in order.
  template <typename Visit>
  void VisitResults(const Visit& visit);
  uint64_t result_count() const { return range_.count * std::max<size_t>(1, request_.gets.size()); }

 private:
  void LoadList(const ListValue& list);
  void LoadSet(const SetValue& set);
  void LoadSortedSet(const SortedSetValue& set);
  bool is_ordered() const { return request_.keeps_order && !sorts_set_; }
  // What is_ordered() returns is the range itself.
  void LoadedRange() { range_.first = 0; }
  bool Weigh();
  int Compare(const SortItem& a, const SortItem& b) const;
  int CompareTexts(std::string_view a, std::string_view b) const {
    // A stored order must not depend on what the C library thinks of it.
    return request_.stores ? a.compare(b) : Comparable(a).compare(Comparable(b));
  }

  CommandContext* const ctx_;
  const SortRequest& request_;
  const bool is_in_script_;
  // A set has no order of its own: where others than the client see the result, it gets one.
  bool sorts_set_ = false;
  SortRange range_;
  Texts elements_;
  Texts weights_;
  std::vector<SortItem> items_;
};

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

void Sorter::Load(const collections::Collection& collection) {
  switch (collection.type()) {
    case collections::CollectionType::kList:
      LoadList(static_cast<const ListValue&>(collection));
      break;
    case collections::CollectionType::kSet:
      LoadSet(static_cast<const SetValue&>(collection));
      break;
    default:
      LoadSortedSet(static_cast<const SortedSetValue&>(collection));
      break;
  }
  items_.resize(elements_.size());
  for (size_t i = 0; i < items_.size(); ++i) items_[i].element = elements_[i];
}

void Sorter::LoadList(const ListValue& list) {
  range_ = RangeOf(request_, list.size());
  const SortRange wanted = is_ordered() ? range_ : SortRange{0, list.size()};
  if (is_ordered()) LoadedRange();
  if (wanted.count == 0) return;
  const auto add = [&](std::string_view element) {
    elements_.Add(element);
    return elements_.size() < wanted.count;
  };
  if (is_ordered() && request_.is_descending) {
    return list.VisitBackwards(list.size() - wanted.first - 1, add);
  }
  for (ListValue::Cursor at(list, wanted.first); !at.at_end() && add(at.element()); at.Next()) {
  }
}

void Sorter::LoadSet(const SetValue& set) {
  range_ = RangeOf(request_, set.size());
  sorts_set_ = request_.keeps_order && (request_.stores || is_in_script_);
  for (SetValue::Cursor at(set); !at.at_end(); at.Next()) elements_.Add(at.element());
}

void Sorter::LoadSortedSet(const SortedSetValue& set) {
  range_ = RangeOf(request_, set.size());
  SortRange wanted{0, set.size()};
  bool downwards = false;
  if (is_ordered()) {
    downwards = request_.is_descending;
    wanted = range_;
    if (downwards) wanted.first = set.size() - range_.first - 1;
    LoadedRange();
  }
  if (wanted.count == 0) return;
  set.VisitRange(wanted.first, wanted.count, downwards, [&](const auto& element) {
    elements_.Add(element.member);
    return true;
  });
}

// Fills in what is compared.
bool Sorter::Weigh() {
  const bool is_alphabetic = request_.is_alphabetic || sorts_set_;
  std::optional<SortPattern> pattern;
  if (request_.by && !sorts_set_) pattern.emplace(*request_.by);
  bool are_numbers = true;
  std::string value;
  for (SortItem& item : items_) {
    item.has_weight = true;
    if (!pattern) {
      value = item.element;
    } else if (!pattern->Lookup(*ctx_, item.element, value)) {
      item.has_weight = false;
      value.clear();
    }
    if (is_alphabetic) {
      if (pattern) weights_.Add(value);
    } else if (item.has_weight) {
      const std::optional<double> score = SortScore(value);
      item.score = score.value_or(0);
      are_numbers = are_numbers && score.has_value();
    }
  }
  if (is_alphabetic) {
    for (size_t i = 0; i < items_.size(); ++i) {
      items_[i].weight = pattern ? weights_[i] : items_[i].element;
    }
  }
  return are_numbers;
}

int Sorter::Compare(const SortItem& a, const SortItem& b) const {
  if (!request_.is_alphabetic && !sorts_set_) {
    if (a.score != b.score) return a.score < b.score ? -1 : 1;
    return a.element.compare(b.element);
  }
  if (!a.has_weight || !b.has_weight) return int{a.has_weight} - int{b.has_weight};
  return CompareTexts(a.weight, b.weight);
}

bool Sorter::Arrange() {
  if (is_ordered()) return true;
  if (!Weigh()) return false;
  std::stable_sort(items_.begin(), items_.end(), [this](const SortItem& a, const SortItem& b) {
    const int order = Compare(a, b);
    return request_.is_descending ? order > 0 : order < 0;
  });
  return true;
}

template <typename Visit>
void Sorter::VisitResults(const Visit& visit) {
  std::vector<SortPattern> gets(request_.gets.begin(), request_.gets.end());
  std::string value;
  for (uint64_t i = range_.first; i < range_.first + range_.count; ++i) {
    const std::string_view element = items_[i].element;
    if (gets.empty()) visit(element, true);
    for (const SortPattern& get : gets) {
      value.clear();
      const bool has_value = get.Lookup(*ctx_, element, value);
      visit(std::string_view(value), has_value);
    }
  }
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
