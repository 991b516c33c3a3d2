// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/stream_group.h"

#include <vector>

#include "base/check.h"
#include "engine/collections/sequence.h"

namespace mikura::engine::collections {
namespace {

// Elements that begin with a number.
uint64_t NumberOrder(std::string_view element) { return TakeNumber(element); }

// Of by_name_: the number as a varint, and the name. The order is by the first bytes of the name.
std::string_view NameOf(std::string_view element) {
  TakeNumber(element);
  return element;
}

uint64_t OrderOfName(std::string_view name) {
  uint64_t order = 0;
  for (size_t i = 0; i < sizeof(order); ++i) {
    order = order << 8 | (i < name.size() ? static_cast<uint8_t>(name[i]) : 0);
  }
  return order;
}

uint64_t NameOrder(std::string_view element) { return OrderOfName(NameOf(element)); }

// Of by_consumer_.
std::string ConsumersIdOf(uint64_t consumer, StreamId id) {
  std::string element;
  AppendVarint(element, consumer);
  AppendStreamId(element, id);
  return element;
}

StreamId IdOfConsumers(std::string_view element) {
  TakeNumber(element);
  return StreamIdOf(element);
}

std::string ElementOf(const PendingEntry& entry) {
  std::string element;
  AppendStreamId(element, entry.id);
  AppendVarint(element, entry.consumer);
  AppendVarint(element, static_cast<uint64_t>(entry.delivered_at));
  AppendVarint(element, entry.deliveries);
  return element;
}

std::string ElementOf(const StreamConsumer& consumer) {
  std::string element;
  AppendVarint(element, consumer.number);
  AppendVarint(element, static_cast<uint64_t>(consumer.seen_at));
  AppendVarint(element, static_cast<uint64_t>(consumer.active_at) + 1);
  element.append(consumer.name);
  return element;
}

}  // namespace

StreamGroup::StreamGroup(NodeMemory& memory, std::string_view name, StreamId last_id,
                         int64_t entries_read)
    : name_(name),
      last_id_(last_id),
      entries_read_(entries_read),
      pending_(memory, StreamIdOrder),
      by_consumer_(memory, NumberOrder),
      consumers_(memory, NumberOrder),
      by_name_(memory, NameOrder) {}

size_t StreamGroup::memory_bytes() const {
  return sizeof(StreamGroup) + name_.capacity() + pending_.memory_bytes() +
         by_consumer_.memory_bytes() + consumers_.memory_bytes() + by_name_.memory_bytes();
}

// ---- Consumers

StreamConsumer StreamGroup::ConsumerOf(std::string_view element) {
  StreamConsumer consumer;
  consumer.number = TakeNumber(element);
  consumer.seen_at = static_cast<int64_t>(TakeNumber(element));
  consumer.active_at = static_cast<int64_t>(TakeNumber(element) - 1);
  consumer.name = element;
  return consumer;
}

uint64_t StreamGroup::PlaceByName(std::string_view name) const {
  return by_name_.LowerBound(OrderOfName(name),
                             [name](std::string_view element) { return NameOf(element) < name; });
}

uint64_t StreamGroup::ConsumerPlace(uint64_t number) const {
  return consumers_.LowerBound(number, [](std::string_view) { return false; });
}

std::optional<StreamConsumer> StreamGroup::FindConsumer(std::string_view name) const {
  const uint64_t place = PlaceByName(name);
  if (place == by_name_.size()) return std::nullopt;
  const std::string_view element = by_name_.At(place);
  if (NameOf(element) != name) return std::nullopt;
  return ConsumerAt(NumberOrder(element));
}

StreamConsumer StreamGroup::ConsumerAt(uint64_t number) const {
  return ConsumerOf(consumers_.At(ConsumerPlace(number)));
}

StreamConsumer StreamGroup::ConsumerByRank(uint64_t index) const {
  return ConsumerAt(NumberOrder(by_name_.At(index)));
}

uint64_t StreamGroup::AddConsumer(std::string_view name, int64_t now) {
  const uint64_t number = next_number_++;
  consumers_.Append(ElementOf(StreamConsumer{.number = number, .name = name, .seen_at = now}));
  std::string element;
  AppendVarint(element, number);
  element.append(name);
  by_name_.Insert(PlaceByName(name), element);
  return number;
}

void StreamGroup::SetSeen(uint64_t number, int64_t seen_at, int64_t active_at) {
  const uint64_t place = ConsumerPlace(number);
  StreamConsumer consumer = ConsumerOf(consumers_.At(place));
  if (consumer.seen_at == seen_at && consumer.active_at == active_at) return;
  consumer.seen_at = seen_at;
  consumer.active_at = active_at;
  consumers_.Replace(place, ElementOf(consumer));
}

uint64_t StreamGroup::RemoveConsumer(uint64_t number) {
  const uint64_t first = PlaceByConsumer(number, kFirstStreamId);
  const uint64_t count = PendingCountOf(number);
  ElementTree::Cursor cursor(by_consumer_, first);
  for (uint64_t i = 0; i < count; ++i, cursor.Next()) {
    pending_.Erase(PendingPlace(IdOfConsumers(cursor.element())));
  }
  by_consumer_.Erase(first, count);
  const uint64_t place = ConsumerPlace(number);
  by_name_.Erase(PlaceByName(ConsumerOf(consumers_.At(place)).name));
  consumers_.Erase(place);
  return count;
}

// ---- Pending entries

PendingEntry StreamGroup::PendingOf(std::string_view element) {
  PendingEntry entry;
  entry.id = TakeStreamId(element);
  entry.consumer = TakeNumber(element);
  entry.delivered_at = static_cast<int64_t>(TakeNumber(element));
  entry.deliveries = TakeNumber(element);
  return entry;
}

uint64_t StreamGroup::PendingPlace(StreamId id) const {
  return pending_.LowerBound(
      id.ms, [id](std::string_view element) { return StreamIdOf(element).seq < id.seq; });
}

uint64_t StreamGroup::PlaceByConsumer(uint64_t consumer, StreamId id) const {
  return by_consumer_.LowerBound(
      consumer, [id](std::string_view element) { return IdOfConsumers(element) < id; });
}

uint64_t StreamGroup::PendingCountOf(uint64_t consumer) const {
  const uint64_t first = PlaceByConsumer(consumer, kFirstStreamId);
  return by_consumer_.LowerBound(consumer, [](std::string_view) { return true; }) - first;
}

std::optional<PendingEntry> StreamGroup::FindPending(StreamId id) const {
  const uint64_t place = PendingPlace(id);
  if (place == pending_.size()) return std::nullopt;
  const PendingEntry entry = PendingOf(pending_.At(place));
  if (entry.id != id) return std::nullopt;
  return entry;
}

void StreamGroup::SetPending(const PendingEntry& entry) {
  const uint64_t place = PendingPlace(entry.id);
  const std::string element = ElementOf(entry);
  if (place < pending_.size() && StreamIdOf(pending_.At(place)) == entry.id) {
    const uint64_t owner = PendingOf(pending_.At(place)).consumer;
    pending_.Replace(place, element);
    if (owner == entry.consumer) return;
    by_consumer_.Erase(PlaceByConsumer(owner, entry.id));
  } else {
    pending_.Insert(place, element);
  }
  by_consumer_.Insert(PlaceByConsumer(entry.consumer, entry.id),
                      ConsumersIdOf(entry.consumer, entry.id));
}

bool StreamGroup::RemovePending(StreamId id) {
  const uint64_t place = PendingPlace(id);
  if (place == pending_.size()) return false;
  const PendingEntry entry = PendingOf(pending_.At(place));
  if (entry.id != id) return false;
  pending_.Erase(place);
  by_consumer_.Erase(PlaceByConsumer(entry.consumer, id));
  return true;
}

StreamGroup::PendingCursor::PendingCursor(const StreamGroup& group, StreamId from)
    : group_(group), cursor_(group.pending_, group.PendingPlace(from)) {}

StreamGroup::PendingCursor::PendingCursor(const StreamGroup& group, StreamId from,
                                          uint64_t consumer)
    : group_(group),
      consumer_(consumer),
      cursor_(group.by_consumer_, group.PlaceByConsumer(consumer, from)) {}

bool StreamGroup::PendingCursor::at_end() const {
  return cursor_.at_end() || (consumer_ && NumberOrder(cursor_.element()) != *consumer_);
}

PendingEntry StreamGroup::PendingCursor::entry() const {
  if (!consumer_) return PendingOf(cursor_.element());
  return PendingOf(group_.pending_.At(group_.PendingPlace(IdOfConsumers(cursor_.element()))));
}

// ---- Checks

void StreamGroup::CheckInvariants() const {
  for (const ElementTree* tree : {&pending_, &by_consumer_, &consumers_, &by_name_}) {
    tree->CheckInvariants();
  }
  CHECK(pending_.size() == by_consumer_.size());  // G1
  CHECK(consumers_.size() == by_name_.size());    // G2
  std::optional<StreamId> last;
  for (PendingCursor c(*this, kFirstStreamId); !c.at_end(); c.Next()) {
    const PendingEntry entry = c.entry();
    CHECK(!last || *last < entry.id);  // G1
    last = entry.id;
    CHECK(ConsumerAt(entry.consumer).number == entry.consumer);  // G2
    const uint64_t place = PlaceByConsumer(entry.consumer, entry.id);
    CHECK(place < by_consumer_.size() && IdOfConsumers(by_consumer_.At(place)) == entry.id);  // G1
  }
  for (uint64_t i = 0; i < consumer_count(); ++i) {
    const StreamConsumer consumer = ConsumerByRank(i);
    CHECK(i == 0 || ConsumerByRank(i - 1).name < consumer.name);  // G2
    const std::optional<StreamConsumer> found = FindConsumer(consumer.name);
    CHECK(found && found->number == consumer.number);  // G2
  }
}

}  // namespace mikura::engine::collections
