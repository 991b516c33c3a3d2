// SPDX-License-Identifier: Apache-2.0
// EC2's filters: a resource matches when each filter has a value that equals one of the resource's.
// "*" stands for any text, "?" for any character, a backslash takes the next one as it is.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/action.h"
#include "control/api/ec2/ec2_api.h"
#include "control/model/api_error.h"
#include "control/model/tags.h"

namespace mikura::control {

// The values that a resource has for one filter.
template <typename Record>
struct FilterRow {
  std::string_view name;
  std::vector<std::string> (*values)(const Record&, const ActionContext&);
};

bool MatchesPattern(std::string_view pattern, std::string_view text);

// Whether one of the filter's values is a pattern of one of `values`.
bool MatchesAny(const ec2::Filter& filter, const std::vector<std::string>& values);

// "tag:KEY", "tag-key" and "tag-value", which all resources with tags share.
bool IsTagFilter(std::string_view name);
bool MatchesTags(const ec2::Filter& filter, const Tags& tags);

ApiError UnknownFilter(const ec2::Filter& filter);

// Keeps what matches all filters. Record: with a member `tags`.
// Errors: kInvalidParameterValue for a filter that is in no row.
template <typename Record>
ApiResult<std::vector<Record>> ApplyFilters(std::vector<Record> records,
                                            const std::vector<ec2::Filter>& filters,
                                            std::span<const FilterRow<Record>> rows,
                                            const ActionContext& context) {
  for (const ec2::Filter& filter : filters) {
    const std::string name = filter.name.value_or("");
    const auto row = std::find_if(rows.begin(), rows.end(),
                                  [&name](const auto& each) { return each.name == name; });
    if (row != rows.end()) {
      std::erase_if(records, [&](const Record& record) {
        return !MatchesAny(filter, row->values(record, context));
      });
    } else if (IsTagFilter(name)) {
      std::erase_if(records,
                    [&](const Record& record) { return !MatchesTags(filter, record.tags); });
    } else {
      return UnknownFilter(filter);
    }
  }
  return records;
}

}  // namespace mikura::control
