// SPDX-License-Identifier: Apache-2.0
// What the actions of EC2 share: dry runs, ids, tags, and the steps of every Describe.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/api/action.h"
#include "control/api/ec2/ec2_api.h"
#include "control/api/ec2/filters.h"
#include "control/api/network_store.h"
#include "control/model/pagination.h"
#include "control/model/tags.h"

namespace mikura::control {

// How one kind of id looks, and what AWS says when it is wrong.
struct IdKind {
  std::string_view prefix;  // "vpc-"
  std::string_view noun;    // "vpc ID"
  ApiErrorCode malformed;
  ApiErrorCode not_found;
};

inline constexpr IdKind kVpcIds = {"vpc-", "vpc ID", ApiErrorCode::kInvalidVpcIDMalformed,
                                   ApiErrorCode::kInvalidVpcIDNotFound};
inline constexpr IdKind kSubnetIds = {"subnet-", "subnet ID",
                                      ApiErrorCode::kInvalidSubnetIDMalformed,
                                      ApiErrorCode::kInvalidSubnetIDNotFound};
inline constexpr IdKind kGroupIds = {"sg-", "security group",
                                     ApiErrorCode::kInvalidGroupIdMalformed,
                                     ApiErrorCode::kInvalidGroupNotFound};

// Errors: kDryRunOperation, which says that the request would have been carried out.
ApiResult<> CheckDryRun(const std::optional<bool>& dry_run);

// Errors: kind.malformed.
ApiResult<> CheckId(std::string_view id, const IdKind& kind);
ApiError NotFound(const std::vector<std::string>& ids, const IdKind& kind);

// Errors: kOperationNotAvailable when one is given.
ApiResult<> RefuseUnsupported(bool given, std::string_view what);

// Errors: kInvalidParameterValue for a key that occurs twice, and those of AddTags().
ApiResult<Tags> TagsFrom(const std::vector<ec2::Tag>& tags);
// The tags for `resource_type` ("vpc"). Errors: also kInvalidParameterValue for another type.
ApiResult<Tags> TagsFrom(const std::vector<ec2::TagSpecification>& specifications,
                         std::string_view resource_type);
std::vector<ec2::Tag> TagsToWire(const Tags& tags);

// The records alone.
template <typename Record>
std::vector<Record> RecordsOf(std::vector<Stored<Record>> stored) {
  std::vector<Record> records;
  for (Stored<Record>& each : stored) records.push_back(std::move(each.record));
  return records;
}

// What every Describe request has.
struct DescribeParameters {
  const std::vector<std::string>& ids;
  const std::vector<ec2::Filter>& filters;
  std::optional<int32_t> max_results;
  std::optional<std::string> next_token;
};

// Keeps the records with these ids, or all when there are none.
// Errors: kind.malformed, kind.not_found.
template <typename Record>
ApiResult<std::vector<Record>> SelectIds(std::vector<Record> records,
                                         const std::vector<std::string>& ids, const IdKind& kind) {
  if (ids.empty()) return records;
  std::vector<std::string> missing;
  for (const std::string& id : ids) {
    RETURN_IF_ERROR(CheckId(id, kind));
    const auto has_id = [&id](const Record& record) { return record.id == id; };
    if (std::none_of(records.begin(), records.end(), has_id)) missing.push_back(id);
  }
  if (!missing.empty()) return NotFound(missing, kind);
  std::erase_if(records, [&ids](const Record& record) {
    return std::find(ids.begin(), ids.end(), record.id) == ids.end();
  });
  return records;
}

// One page. Errors: kInvalidParameterValue, kInvalidPaginationToken, kInvalidParameterCombination
// for a page size together with ids. Record: with a member `id`; sorted by it.
template <typename Record>
ApiResult<Page<Record>> PageOf(std::vector<Record> records, const DescribeParameters& parameters) {
  if (parameters.max_results && !parameters.ids.empty()) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    "The parameter maxResults cannot be used together with ids."};
  }
  size_t size = records.size();
  if (parameters.max_results) {
    ASSIGN_OR_RETURN(size, PageSize(parameters.max_results, 5, 1000, "maxResults"));
  }
  auto page = Paginate(
      std::move(records), [](const Record& record) { return record.id; }, parameters.next_token,
      std::max<size_t>(size, 1));
  if (!page) return ApiError{ApiErrorCode::kInvalidPaginationToken, {}};
  return std::move(*page);
}

// Ids, filters, page.
template <typename Record>
ApiResult<Page<Record>> Describe(std::vector<Record> records, const DescribeParameters& parameters,
                                 const IdKind& kind, std::span<const FilterRow<Record>> rows,
                                 const ActionContext& context) {
  ASSIGN_OR_RETURN(auto selected, SelectIds(std::move(records), parameters.ids, kind));
  ASSIGN_OR_RETURN(auto matching,
                   ApplyFilters(std::move(selected), parameters.filters, rows, context));
  return PageOf(std::move(matching), parameters);
}

}  // namespace mikura::control
