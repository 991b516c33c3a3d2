// SPDX-License-Identifier: Apache-2.0
// What SORT puts in order, and how: a copy of the elements, their scores or texts, and the range
// that is wanted of them.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "engine/collections/collection.h"
#include "engine/collections/list_value.h"
#include "engine/collections/set_value.h"
#include "engine/collections/sorted_set_value.h"
#include "engine/commands/command_context.h"
#include "engine/commands/sort_pattern.h"
#include "engine/commands/sort_request.h"

namespace mikura::engine {

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
  void LoadList(const collections::ListValue& list);
  void LoadSet(const collections::SetValue& set);
  void LoadSortedSet(const collections::SortedSetValue& set);
  bool is_ordered() const { return request_.keeps_order && !sorts_set_; }
  // What is_ordered() returns is the range itself.
  void LoadedRange() { range_.first = 0; }
  bool Weigh();
  int Compare(const SortItem& a, const SortItem& b) const;
  int CompareTexts(std::string_view a, std::string_view b) const;

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

}  // namespace mikura::engine
