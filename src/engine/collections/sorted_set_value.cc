// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/sorted_set_value.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace mikura::engine::collections {
namespace {

constexpr size_t kHeaderBytesMax = 10;
constexpr uint64_t kSignBit = uint64_t{1} << 63;
// What is removed by the way that is faster: less than one of so many, one by one; all but one of
// so many, by starting anew with those.
constexpr uint64_t kFewErased = 32;
constexpr uint64_t kFewLeft = 8;

// A number that orders as the scores do.
uint64_t OrderOfScore(double score) {
  if (score == 0) return kSignBit;  // both zeros
  const auto bits = std::bit_cast<uint64_t>(score);
  return (bits & kSignBit) != 0 ? ~bits : bits | kSignBit;
}

}  // namespace

SortedSetValue::Element SortedSetValue::ElementOf(std::string_view bytes) {
  Element element;
  std::memcpy(&element.score, bytes.data(), kScoreBytes);
  element.member = bytes.substr(kScoreBytes);
  return element;
}

std::string SortedSetValue::BytesOf(std::string_view member, double score) {
  std::string bytes;
  bytes.reserve(kScoreBytes + member.size());
  bytes.append(reinterpret_cast<const char*>(&score), kScoreBytes);
  bytes.append(member);
  return bytes;
}

uint64_t SortedSetValue::ScoreOrder(std::string_view bytes) {
  return OrderOfScore(ElementOf(bytes).score);
}

uint64_t SortedSetValue::MemberOrder(std::string_view bytes) {
  return ElementHash(bytes.substr(kScoreBytes));
}

SortedSetValue::SortedSetValue(NodeMemory& memory)
    : by_score_(memory, ScoreOrder), by_member_(memory, MemberOrder) {}

SortedSetValue::SortedSetValue(NodeMemory& memory, std::string_view packed)
    : SortedSetValue(memory) {
  const uint64_t word = TakeVarint(packed).value_or(0);
  is_skiplist_ = (word & 1) != 0;
  by_score_ = Sequence(memory, ScoreOrder, packed, word >> 1);
}

SortedSetValue::SortedSetValue(NodeMemory& memory, std::span<const Element> ordered)
    : SortedSetValue(memory) {
  for (const Element& element : ordered) {
    by_score_.Append(BytesOf(element.member, element.score));
    if (by_score_.is_overfull()) by_score_.Unpack();
  }
  if (!is_packed()) FillByMember();
}

void SortedSetValue::AppendPacked(std::string& out) const {
  out.reserve(out.size() + kHeaderBytesMax + by_score_.packed().size());
  AppendVarint(out, size() << 1 | (is_skiplist_ ? 1 : 0));
  out.append(by_score_.packed());
}

std::optional<PackedSplice> SortedSetValue::Splice(std::string& header) const {
  AppendVarint(header, size() << 1 | (is_skiplist_ ? 1 : 0));
  return by_score_.splice();
}

SortedSetValue::Place SortedSetValue::PlaceByMember(std::string_view member) const {
  const ElementTree::Spot spot = by_member_.Seek(
      ElementHash(member),
      [member](std::string_view other) { return other.substr(kScoreBytes) < member; });
  if (spot.at_end) return {spot.index};
  const Element element = ElementOf(spot.element);
  return {spot.index, element.member == member, element.score};
}

uint64_t SortedSetValue::PlaceByScore(std::string_view member, double score) const {
  const uint64_t order = OrderOfScore(score);
  if (!is_packed()) {
    return by_score_.tree().LowerBound(
        order, [member](std::string_view other) { return other.substr(kScoreBytes) < member; });
  }
  uint64_t index = 0;
  for (Sequence::Cursor c(by_score_, 0); !c.at_end(); c.Next(), ++index) {
    const uint64_t other = ScoreOrder(c.element());
    if (other > order || (other == order && ElementOf(c.element()).member >= member)) break;
  }
  return index;
}

std::optional<uint64_t> SortedSetValue::PackedRankOf(std::string_view member) const {
  for (PackedWalk walk(by_score_.packed()); !walk.at_end(); walk.Next()) {
    if (SameBytes(walk.element().substr(kScoreBytes), member)) return walk.spot().index;
  }
  return std::nullopt;
}

std::optional<double> SortedSetValue::ScoreOf(std::string_view member) const {
  if (is_packed()) {
    for (PackedWalk walk(by_score_.packed()); !walk.at_end(); walk.Next()) {
      const Element element = ElementOf(walk.element());
      if (SameBytes(element.member, member)) return element.score;
    }
    return std::nullopt;
  }
  const Place place = PlaceByMember(member);
  if (!place.exists) return std::nullopt;
  return place.score;
}

std::optional<uint64_t> SortedSetValue::RankOf(std::string_view member) const {
  if (is_packed()) return PackedRankOf(member);
  const std::optional<double> score = ScoreOf(member);
  if (!score) return std::nullopt;
  return PlaceByScore(member, *score);
}

SortedSetValue::Change SortedSetValue::Set(std::string_view member, double score) {
  DCHECK(!std::isnan(score));
  if (is_packed()) return SetPacked(member, score);
  const Place place = PlaceByMember(member);
  const std::string bytes = BytesOf(member, score);
  if (!place.exists) {
    by_member_.Insert(place.index, bytes);
    by_score_.Insert(PlaceByScore(member, score), bytes);
    return Change::kAdded;
  }
  const double old_score = place.score;
  if (old_score == score) return Change::kNone;
  by_score_.Erase(PlaceByScore(member, old_score));
  by_score_.Insert(PlaceByScore(member, score), bytes);
  by_member_.Replace(place.index, bytes);
  return Change::kUpdated;
}

SortedSetValue::Change SortedSetValue::SetPacked(std::string_view member, double score) {
  const uint64_t order = OrderOfScore(score);
  std::optional<PackedSpot> old;
  std::optional<PackedSpot> place;
  PackedWalk walk(by_score_.packed());
  for (; !walk.at_end() && !(old && place); walk.Next()) {
    const Element other = ElementOf(walk.element());
    if (!old && SameBytes(other.member, member)) {
      if (other.score == score) return Change::kNone;
      old = walk.spot();
    } else if (!place) {
      const uint64_t other_order = OrderOfScore(other.score);
      if (other_order > order || (other_order == order && other.member > member)) {
        place = walk.spot();
      }
    }
  }
  if (!place) place = walk.spot();
  if (old) {
    by_score_.MoveAt(*old, *place, BytesOf(member, score));
  } else {
    by_score_.InsertAt(*place, BytesOf(member, score));
  }
  if (by_score_.is_overfull()) BecomeTree();
  return old ? Change::kUpdated : Change::kAdded;
}

bool SortedSetValue::Erase(std::string_view member) {
  const std::optional<uint64_t> rank = RankOf(member);
  if (!rank) return false;
  EraseAt(*rank);
  return true;
}

void SortedSetValue::EraseAt(uint64_t rank, uint64_t count) {
  DCHECK(rank + count <= size());
  if (count == size()) {
    by_member_.Clear();
    return by_score_.Clear();
  }
  if (!is_packed() && count > (size() - count) * kFewLeft) {
    by_score_.Erase(rank, count);
    by_member_.Clear();
    return FillByMember();
  }
  if (!is_packed()) EraseFromByMember(rank, count);
  by_score_.Erase(rank, count);
}

// Looking for many members one by one takes longer than passing all.
void SortedSetValue::EraseFromByMember(uint64_t rank, uint64_t count) {
  if (count <= size() / kFewErased) {
    Cursor c(*this, rank);
    for (uint64_t i = 0; i < count; ++i, c.Next()) {
      const Place place = PlaceByMember(c.element().member);
      DCHECK(place.exists);
      by_member_.Erase(place.index);
    }
    return;
  }
  const Element first = At(rank);
  const Element last = At(rank + count - 1);
  const auto is_before = [](const Element& a, const Element& b) {
    return a.score != b.score ? a.score < b.score : a.member < b.member;
  };
  ElementTree kept(by_member_.memory(), by_member_.order_of());
  for (ElementTree::Cursor c(by_member_, 0); !c.at_end(); c.Next()) {
    const Element element = ElementOf(c.element());
    if (is_before(element, first) || is_before(last, element)) kept.Append(c.element());
  }
  by_member_ = std::move(kept);
}

uint64_t SortedSetValue::CountBelow(double score, bool or_equal) const {
  const uint64_t order = OrderOfScore(score);
  if (!is_packed()) {
    return by_score_.tree().LowerBound(order, [or_equal](std::string_view) { return or_equal; });
  }
  uint64_t count = 0;
  for (Sequence::Cursor c(by_score_, 0); !c.at_end(); c.Next(), ++count) {
    const uint64_t other = ScoreOrder(c.element());
    if (other > order || (other == order && !or_equal)) break;
  }
  return count;
}

uint64_t SortedSetValue::CountBefore(std::string_view member, bool or_equal) const {
  const auto is_before = [&](std::string_view other) {
    return or_equal ? other <= member : other < member;
  };
  if (is_packed()) {
    uint64_t count = 0;
    for (Cursor c(*this); !c.at_end() && is_before(c.element().member); c.Next()) ++count;
    return count;
  }
  // One descent where the scores are equal, as they should be.
  const uint64_t order = empty() ? 0 : ScoreOrder(by_score_.At(0));
  if (!empty() && ScoreOrder(by_score_.At(size() - 1)) == order) {
    return by_score_.tree().LowerBound(
        order, [&](std::string_view bytes) { return is_before(ElementOf(bytes).member); });
  }
  uint64_t low = 0;
  for (uint64_t high = size(); low < high;) {
    const uint64_t middle = low + (high - low) / 2;
    if (is_before(At(middle).member)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void SortedSetValue::BecomeTree() {
  by_score_.Unpack();
  FillByMember();
}

void SortedSetValue::FillByMember() {
  std::vector<std::pair<uint64_t, std::string_view>> sorted;
  sorted.reserve(static_cast<size_t>(size()));
  for (Sequence::Cursor c(by_score_, 0); !c.at_end(); c.Next()) {
    sorted.emplace_back(MemberOrder(c.element()), c.element());
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    return a.second.substr(kScoreBytes) < b.second.substr(kScoreBytes);
  });
  for (const auto& [order, bytes] : sorted) by_member_.Append(bytes);
}

void SortedSetValue::CheckInvariants() const {
  if (is_packed()) {
    CHECK(by_member_.empty());  // Z2
  } else {
    by_score_.tree().CheckInvariants();
    by_member_.CheckInvariants();
    CHECK(by_member_.size() == size());  // Z2
  }
  uint64_t count = 0;
  Element last;
  for (Cursor c(*this); !c.at_end(); c.Next(), ++count) {
    const Element element = c.element();
    CHECK(!std::isnan(element.score));
    CHECK(count == 0 || last.score < element.score ||
          (last.score == element.score && last.member < element.member));  // Z1
    last = element;
    if (is_packed()) continue;
    const Place place = PlaceByMember(element.member);
    CHECK(place.exists);
    CHECK(std::bit_cast<uint64_t>(ElementOf(by_member_.At(place.index)).score) ==
          std::bit_cast<uint64_t>(element.score));  // Z2
  }
  CHECK(count == size());
}

}  // namespace mikura::engine::collections
