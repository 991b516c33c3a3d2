// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/sorter.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "base/numbers.h"

namespace mikura::engine {
namespace {

using collections::ListValue;
using collections::SetValue;
using collections::SortedSetValue;

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

}  // namespace

int Sorter::CompareTexts(std::string_view a, std::string_view b) const {
  // A stored order must not depend on what the C library thinks of it.
  return request_.stores ? a.compare(b) : Comparable(a).compare(Comparable(b));
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

}  // namespace mikura::engine
