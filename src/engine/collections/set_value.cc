// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/set_value.h"

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "base/numbers.h"

namespace mikura::engine::collections {
namespace {

constexpr size_t kHeaderBytesMax = 10;

// Integers in their order, negative ones first.
uint64_t NumericOrder(std::string_view element) {
  const std::optional<int64_t> number = ParseInt64(element);
  DCHECK(number.has_value());
  return static_cast<uint64_t>(*number) ^ (uint64_t{1} << 63);
}

bool IsInteger(std::string_view element) { return ParseInt64(element).has_value(); }

}  // namespace

SetValue::SetValue(NodeMemory& memory) : elements_(memory, NumericOrder) {}

SetValue::SetValue(NodeMemory& memory, std::string_view packed) : SetValue(memory) {
  const uint64_t word = TakeVarint(packed).value_or(1);
  is_intset_ = (word & 1) == 0;
  elements_ = Sequence(memory, is_intset_ ? NumericOrder : ElementHash, packed, word >> 1);
}

void SetValue::AppendPacked(std::string& out) const {
  out.reserve(out.size() + kHeaderBytesMax + elements_.packed().size());
  AppendVarint(out, size() << 1 | (is_intset_ ? 0 : 1));
  out.append(elements_.packed());
}

std::optional<PackedSplice> SetValue::Splice(std::string& header) const {
  AppendVarint(header, size() << 1 | (is_intset_ ? 0 : 1));
  return elements_.splice();
}

SetValue::Place SetValue::PlaceOf(std::string_view element) const {
  if (is_intset_) {
    return IsInteger(element) ? PlaceOfInteger(element) : Place{size(), false};
  }
  if (!is_packed()) {
    const ElementTree::Spot spot = elements_.tree().Seek(
        ElementHash(element), [element](std::string_view other) { return other < element; });
    return {spot.index, !spot.at_end && spot.element == element};
  }
  PackedWalk walk(elements_.packed());
  for (; !walk.at_end(); walk.Next()) {
    if (SameBytes(walk.element(), element)) return {walk.spot().index, true};
  }
  return {walk.spot().index, false};
}

SetValue::Place SetValue::PlaceOfInteger(std::string_view element) const {
  const uint64_t order = NumericOrder(element);
  if (!is_packed()) {
    const ElementTree::Spot spot =
        elements_.tree().Seek(order, [](std::string_view) { return false; });
    return {spot.index, !spot.at_end && spot.element == element};
  }
  uint64_t index = 0;
  for (Cursor c(*this); !c.at_end(); c.Next(), ++index) {
    const uint64_t other = NumericOrder(c.element());
    if (other >= order) return {index, other == order};
  }
  return {index, false};
}

bool SetValue::Add(std::string_view element) {
  if (is_intset_ && !IsInteger(element)) BecomeHashtable();
  const Place place = PlaceOf(element);
  if (place.exists) return false;
  elements_.Insert(place.index, element);
  if (elements_.is_overfull()) BecomeTree();
  return true;
}

bool SetValue::Erase(std::string_view element) {
  const Place place = PlaceOf(element);
  if (!place.exists) return false;
  elements_.Erase(place.index);
  return true;
}

void SetValue::BecomeHashtable() {
  if (!is_intset_) return;
  is_intset_ = false;
  if (!is_packed()) {
    BecomeHashedTree();
    return;
  }
  // What comes is appended behind those that are in numeric order (S2).
  Sequence elements(elements_.memory(), ElementHash);
  for (Cursor c(*this); !c.at_end(); c.Next()) elements.Append(c.element());
  elements_ = std::move(elements);
}

void SetValue::BecomeTree() {
  if (is_intset_) {
    elements_.Unpack();
  } else {
    BecomeHashedTree();
  }
}

void SetValue::BecomeHashedTree() {
  std::vector<std::pair<uint64_t, std::string_view>> sorted;
  sorted.reserve(static_cast<size_t>(size()));
  for (Cursor c(*this); !c.at_end(); c.Next()) {
    sorted.emplace_back(ElementHash(c.element()), c.element());
  }
  std::sort(sorted.begin(), sorted.end());
  ElementTree tree(elements_.memory(), ElementHash);
  for (const auto& [order, element] : sorted) tree.Append(element);
  elements_.BecomeTree(std::move(tree));
}

void SetValue::CheckInvariants() const {
  if (!is_packed()) elements_.tree().CheckInvariants();
  uint64_t count = 0;
  std::string_view last;
  for (Cursor c(*this); !c.at_end(); c.Next(), ++count) {
    if (count > 0 && is_intset_) {
      CHECK(NumericOrder(last) < NumericOrder(c.element()));  // S1
    } else if (count > 0 && !is_packed()) {
      const uint64_t before = ElementHash(last);
      const uint64_t order = ElementHash(c.element());
      CHECK(before < order || (before == order && last < c.element()));  // S2
    }
    last = c.element();
  }
  CHECK(count == size());
}

}  // namespace mikura::engine::collections
