// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/test_failover_actions.h"

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <utility>

#include "base/logging.h"
#include "control/api/elasticache/cache_store.h"
#include "control/api/elasticache/group_view.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/call_quota.h"
#include "control/model/event.h"

namespace mikura::control {
namespace {

// Node groups in a rolling 24 hours, over all groups of an account and region.
constexpr size_t kTestsPerDay = 15;

ApiResult<> CheckTestable(const WholeGroup& whole, const std::string& node_group) {
  const ReplicationGroup& group = whole.group.record;
  if (node_group != kOnlyShard) {
    return ApiError{ApiErrorCode::kNodeGroupNotFoundFault,
                    fmt::format("The node group {} does not exist in replication group {}.",
                                node_group, group.id)};
  }
  RETURN_IF_ERROR(CheckAvailable(group));
  if (!group.automatic_failover || whole.clusters.size() < 2) {
    return ApiError{ApiErrorCode::kTestFailoverNotAvailableFault,
                    "TestFailover needs automatic failover to be enabled."};
  }
  return Ok();
}

// Counts the call. Errors: kAPICallRateForCustomerExceeded.
ApiResult<> CountCall(const ActionContext& context, Change& change) {
  const std::string key = TestFailoverQuotaKey(context.account_id, context.region);
  const auto found = context.store.Get(key);
  if (!found.ok()) return ApiError{ApiErrorCode::kServiceUnavailable, {}};
  CallQuota quota;
  if (found->has_value()) {
    auto read = CallQuotaFromJson((*found)->value);
    if (!read.ok()) {
      Log(LogLevel::kError, "api", "{}: {}", key, read.error().message);
      return ApiError{ApiErrorCode::kInternalFailure, {}};
    }
    quota = std::move(read).value();
  }
  if (!quota.Admit(context.clock.NowMillis(), kTestsPerDay)) {
    return ApiError{ApiErrorCode::kAPICallRateForCustomerExceeded,
                    fmt::format("TestFailover can be called for at most {} node groups in 24 "
                                "hours.",
                                kTestsPerDay)};
  }
  if (found->has_value()) {
    change.Replace(**found, ToJson(quota));
  } else {
    change.Create(key, ToJson(quota));
  }
  return Ok();
}

}  // namespace

ApiResult<elasticache::TestFailoverResult> TestFailover(
    ActionContext& context, const elasticache::TestFailoverRequest& request) {
  using Result = elasticache::TestFailoverResult;
  return UntilApplied([&]() -> ApiResult<std::optional<Result>> {
    ASSIGN_OR_RETURN(WholeGroup whole, FindWholeGroup(context, request.replication_group_id));
    RETURN_IF_ERROR(CheckTestable(whole, request.node_group_id));
    Change change;
    RETURN_IF_ERROR(CountCall(context, change));
    ReplicationGroup& group = whole.group.record;
    group.test_failover = true;
    group.status = kStatusModifying;
    change.Replace(whole.group.kv, ToJson(group));
    const UnixMillis now = context.clock.NowMillis();
    const Event event{
        group.account,
        group.region,
        "replication-group",
        group.id,
        fmt::format("Test Failover API called for node group {}", request.node_group_id),
        now,
        group.topic.ActiveArn()};
    // A small tie puts it before what follows from it within the millisecond.
    const auto tie = static_cast<uint8_t>(std::hash<std::string>()(group.incarnation));
    change.writes.push_back(Write::Put(EventKey(now, tie), ToJson(event)));
    ASSIGN_OR_RETURN(const bool applied, NetworkStore(context).Apply(change));
    if (!applied) return std::optional<Result>();
    return std::optional<Result>(Result{whole.Answer()});
  });
}

}  // namespace mikura::control
