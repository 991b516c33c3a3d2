// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/hash_value.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "engine/collections/element_hash.h"
#include "engine/collections/element_text.h"

namespace mikura::engine::collections {
namespace {

constexpr std::string_view kDeadlineMark("\x80\x00", 2);
constexpr uint64_t kHashtableFlag = 1;
constexpr uint64_t kDeadlineFlag = 2;
constexpr int kFlagBits = 2;
constexpr size_t kHeaderBytesMax = 10 + sizeof(UnixMillis);

void AppendDeadline(std::string& out, UnixMillis deadline) {
  out.append(reinterpret_cast<const char*>(&deadline), sizeof deadline);
}

UnixMillis TakeDeadline(std::string_view& bytes) {
  UnixMillis deadline;
  DCHECK(bytes.size() >= sizeof deadline);
  std::memcpy(&deadline, bytes.data(), sizeof deadline);
  bytes.remove_prefix(sizeof deadline);
  return deadline;
}

size_t ElementBytes(std::string_view name, std::string_view value) {
  return kDeadlineMark.size() + sizeof(UnixMillis) + VarintBytes(name.size()) + name.size() +
         value.size();
}

// An element (H2) of its parts.
void PutField(ElementText& text, std::string_view name, std::string_view value,
              UnixMillis deadline) {
  if (deadline != kNoFieldDeadline) {
    text.Put(kDeadlineMark);
    text.PutBytesOf(deadline);
  }
  text.PutLength(name.size());
  text.Put(name);
  text.Put(value);
}

// ---- Elements of deadlines_: the deadline, most significant byte first, then the field.

std::string DeadlineElement(std::string_view name, UnixMillis deadline) {
  std::string element;
  const uint64_t number = __builtin_bswap64(static_cast<uint64_t>(deadline));
  element.append(reinterpret_cast<const char*>(&number), sizeof number);
  element.append(name);
  return element;
}

uint64_t DeadlineOrder(std::string_view element) {
  uint64_t number;
  std::memcpy(&number, element.data(), sizeof number);
  return __builtin_bswap64(number);
}

// Whether the element's field has this name.
bool IsNamed(std::string_view element, std::string_view name) {
  // A short name without deadline: its length is one byte.
  const auto length = static_cast<uint8_t>(element[0]);
  if (length < 0x80) {
    return length == name.size() && SameBytes({element.data() + 1, length}, name);
  }
  return HashValue::FieldOf(element).name == name;
}

std::string_view NameOfDeadline(std::string_view element) {
  return element.substr(sizeof(uint64_t));
}

}  // namespace

HashValue::HashValue(NodeMemory& memory)
    : fields_(memory, OrderOf), deadlines_(memory, DeadlineOrder) {}

// A packed hash in its parts.
struct HashValue::Packed {
  explicit Packed(std::string_view bytes) {
    const uint64_t word = TakeVarint(bytes).value_or(0);
    count = word >> kFlagBits;
    is_hashtable = (word & kHashtableFlag) != 0;
    if ((word & kDeadlineFlag) != 0) first_deadline = TakeDeadline(bytes);
    elements = bytes;
  }

  uint64_t count = 0;
  bool is_hashtable = false;
  UnixMillis first_deadline = kNoFieldDeadline;
  std::string_view elements;
};

HashValue::HashValue(NodeMemory& memory, std::string_view packed)
    : HashValue(memory, Packed(packed)) {}

HashValue::HashValue(NodeMemory& memory, const Packed& packed)
    : fields_(memory, OrderOf, packed.elements, packed.count),
      deadlines_(memory, DeadlineOrder),
      packed_first_deadline_(packed.first_deadline),
      is_hashtable_(packed.is_hashtable) {}

void HashValue::AppendPacked(std::string& out) const {
  const bool has_deadline = packed_first_deadline_ != kNoFieldDeadline;
  out.reserve(out.size() + kHeaderBytesMax + fields_.packed().size());
  AppendVarint(out, size() << kFlagBits | (is_hashtable_ ? kHashtableFlag : 0) |
                        (has_deadline ? kDeadlineFlag : 0));
  if (has_deadline) AppendDeadline(out, packed_first_deadline_);
  out.append(fields_.packed());
}

std::optional<PackedSplice> HashValue::Splice(std::string& header) const {
  // Deadlines count outside of the value too.
  if (packed_first_deadline_ != kNoFieldDeadline) return std::nullopt;
  AppendVarint(header, size() << kFlagBits | (is_hashtable_ ? kHashtableFlag : 0));
  return fields_.splice();
}

UnixMillis HashValue::FirstDeadlineOf(std::string_view packed) {
  return Packed(packed).first_deadline;
}

HashValue::Field HashValue::FieldOf(std::string_view element) {
  Field field;
  if (element.starts_with(kDeadlineMark)) {
    element.remove_prefix(kDeadlineMark.size());
    field.deadline = TakeDeadline(element);
  }
  const auto length = static_cast<size_t>(TakeVarint(element).value_or(0));
  DCHECK(length <= element.size());
  field.name = element.substr(0, length);
  field.value = element.substr(length);
  return field;
}

uint64_t HashValue::OrderOf(std::string_view element) { return ElementHash(FieldOf(element).name); }

// Where the field is or belongs in the tree.
ElementTree::Spot HashValue::Seek(std::string_view name) const {
  return fields_.tree().Seek(
      ElementHash(name), [name](std::string_view element) { return FieldOf(element).name < name; });
}

HashValue::Place HashValue::PlaceOf(std::string_view name) const {
  if (!is_packed()) {
    const ElementTree::Spot spot = Seek(name);
    return {{spot.index}, !spot.at_end && IsNamed(spot.element, name)};
  }
  PackedWalk walk(fields_.packed());
  for (; !walk.at_end(); walk.Next()) {
    if (IsNamed(walk.element(), name)) return {walk.spot(), true};
  }
  return {walk.spot(), false};
}

std::optional<HashValue::Field> HashValue::Find(std::string_view name) const {
  if (is_packed()) {
    for (PackedWalk walk(fields_.packed()); !walk.at_end(); walk.Next()) {
      if (IsNamed(walk.element(), name)) return FieldOf(walk.element());
    }
    return std::nullopt;
  }
  const ElementTree::Spot spot = Seek(name);
  if (spot.at_end || !IsNamed(spot.element, name)) return std::nullopt;
  return FieldOf(spot.element);
}

bool HashValue::Set(std::string_view name, std::string_view value, UnixMillis deadline) {
  const Place place = PlaceOf(name);
  PutAt(place, name, value, deadline);
  return !place.exists;
}

// Of the field at a place where one is.
UnixMillis HashValue::DeadlineAt(const Place& place) const {
  if (first_deadline() == kNoFieldDeadline) return kNoFieldDeadline;
  if (!is_packed()) return At(place.spot.index).deadline;
  return FieldOf(PackedWalk(fields_.packed().substr(place.spot.offset)).element()).deadline;
}

void HashValue::PutAt(const Place& place, std::string_view name, std::string_view value,
                      UnixMillis deadline) {
  ElementText text(ElementBytes(name, value));
  PutField(text, name, value, deadline);
  const std::string_view element = text.view();
  const UnixMillis before = place.exists ? DeadlineAt(place) : kNoFieldDeadline;
  if (is_packed()) {
    if (place.exists) {
      fields_.ReplaceAt(place.spot, element);
    } else {
      fields_.InsertAt(place.spot, element);
    }
  } else if (place.exists) {
    fields_.Replace(place.spot.index, element);
  } else {
    fields_.Insert(place.spot.index, element);
  }
  NoteDeadline(name, before, deadline);
  if (fields_.is_overfull()) BecomeTree();
}

bool HashValue::Erase(std::string_view name) {
  const Place place = PlaceOf(name);
  if (!place.exists) return false;
  const UnixMillis before = DeadlineAt(place);
  // The name may lie in this hash: it is not used behind a removal.
  if (!is_packed() && before != kNoFieldDeadline) RemoveFromDeadlines(name, before);
  if (is_packed()) {
    fields_.EraseAt(place.spot);
  } else {
    fields_.Erase(place.spot.index);
  }
  if (is_packed() && before != kNoFieldDeadline) NoteDeadline({}, before, kNoFieldDeadline);
  return true;
}

bool HashValue::SetDeadline(std::string_view name, UnixMillis deadline) {
  const Place place = PlaceOf(name);
  if (!place.exists) return false;
  const Field field = At(place.spot.index);
  if (field.deadline == deadline) return true;
  PutAt(place, name, std::string(field.value), deadline);
  return true;
}

// ---- Deadlines

UnixMillis HashValue::first_deadline() const {
  if (is_packed()) return packed_first_deadline_;
  if (deadlines_.empty()) return kNoFieldDeadline;
  return static_cast<UnixMillis>(DeadlineOrder(deadlines_.At(0)));
}

UnixMillis HashValue::EarliestDeadline() const {
  UnixMillis earliest = kNoFieldDeadline;
  for (Cursor c(*this); !c.at_end(); c.Next()) earliest = std::min(earliest, c.field().deadline);
  return earliest;
}

uint64_t HashValue::CountDue(UnixMillis now) const {
  if (first_deadline() > now) return 0;
  if (!is_packed()) {
    return deadlines_.LowerBound(static_cast<uint64_t>(now) + 1,
                                 [](std::string_view) { return false; });
  }
  uint64_t due = 0;
  for (Cursor c(*this); !c.at_end(); c.Next()) due += c.field().IsDue(now) ? 1 : 0;
  return due;
}

std::string_view HashValue::FirstToGo() const {
  DCHECK(first_deadline() != kNoFieldDeadline);
  if (!is_packed()) return NameOfDeadline(deadlines_.At(0));
  Cursor c(*this);
  while (c.field().deadline != packed_first_deadline_) c.Next();
  return c.field().name;
}

// A field's deadline has changed; fields_ has the new one already.
void HashValue::NoteDeadline(std::string_view name, UnixMillis before, UnixMillis after) {
  if (before == after) return;
  if (is_packed()) {
    if (after < packed_first_deadline_) {
      packed_first_deadline_ = after;
    } else if (before == packed_first_deadline_) {
      packed_first_deadline_ = EarliestDeadline();
    }
    return;
  }
  if (after != kNoFieldDeadline) AddToDeadlines(name, after);
  if (before != kNoFieldDeadline) RemoveFromDeadlines(name, before);
}

void HashValue::AddToDeadlines(std::string_view name, UnixMillis deadline) {
  const std::string element = DeadlineElement(name, deadline);
  const uint64_t index =
      deadlines_.LowerBound(static_cast<uint64_t>(deadline),
                            [&element](std::string_view other) { return other < element; });
  deadlines_.Insert(index, element);
}

void HashValue::RemoveFromDeadlines(std::string_view name, UnixMillis deadline) {
  const std::string element = DeadlineElement(name, deadline);
  const uint64_t index =
      deadlines_.LowerBound(static_cast<uint64_t>(deadline),
                            [&element](std::string_view other) { return other < element; });
  DCHECK(index < deadlines_.size() && deadlines_.At(index) == element);
  deadlines_.Erase(index);
}

void HashValue::BecomeTree() {
  std::vector<std::pair<uint64_t, std::string_view>> elements;
  elements.reserve(static_cast<size_t>(size()));
  for (Sequence::Cursor c(fields_, 0); !c.at_end(); c.Next()) {
    elements.emplace_back(OrderOf(c.element()), c.element());
  }
  std::sort(elements.begin(), elements.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : FieldOf(a.second).name < FieldOf(b.second).name;
  });
  ElementTree tree(fields_.memory(), OrderOf);
  for (const auto& [order, element] : elements) {
    tree.Append(element);
    const Field field = FieldOf(element);
    if (field.deadline != kNoFieldDeadline) AddToDeadlines(field.name, field.deadline);
  }
  fields_.BecomeTree(std::move(tree));
  packed_first_deadline_ = kNoFieldDeadline;
}

void HashValue::CheckInvariants() const {
  uint64_t count = 0;
  uint64_t with_deadline = 0;
  Field last;
  for (Cursor c(*this); !c.at_end(); c.Next(), ++count) {
    const Field field = c.field();
    if (!is_packed() && count > 0) {  // H1
      const uint64_t before = ElementHash(last.name);
      const uint64_t order = ElementHash(field.name);
      CHECK(before < order || (before == order && last.name < field.name));
    }
    last = field;
    if (field.deadline == kNoFieldDeadline) continue;
    ++with_deadline;
    if (is_packed()) continue;
    const std::string element = DeadlineElement(field.name, field.deadline);  // H3
    const uint64_t index =
        deadlines_.LowerBound(static_cast<uint64_t>(field.deadline),
                              [&element](std::string_view other) { return other < element; });
    CHECK(index < deadlines_.size() && deadlines_.At(index) == element);
  }
  CHECK(count == size());
  CHECK(first_deadline() == EarliestDeadline());  // H3
  if (is_packed()) {
    CHECK(deadlines_.empty());
    return;
  }
  CHECK(deadlines_.size() == with_deadline);
  fields_.tree().CheckInvariants();
  deadlines_.CheckInvariants();
}

}  // namespace mikura::engine::collections
