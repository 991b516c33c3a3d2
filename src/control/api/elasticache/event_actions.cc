// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/event_actions.h"

#include <fmt/format.h>

#include <utility>

#include "base/logging.h"
#include "base/numbers.h"
#include "control/api/elasticache/cache_store.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/event.h"

namespace mikura::control {
namespace {

constexpr UnixMillis kMinute = 60'000;
constexpr int64_t kMinutesMax = 14 * 24 * 60;
constexpr int64_t kMinutesUsual = 60;

struct Interval {
  UnixMillis begin = 0;
  UnixMillis end = 0;  // included
};

ApiResult<Interval> IntervalOf(const elasticache::DescribeEventsRequest& request, UnixMillis now) {
  if (request.duration && (*request.duration < 1 || *request.duration > kMinutesMax)) {
    return ApiError{ApiErrorCode::kInvalidParameterValue,
                    fmt::format("Duration must be between 1 and {} minutes.", kMinutesMax)};
  }
  if (request.start_time && request.end_time && request.duration) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    "Duration excludes StartTime together with EndTime."};
  }
  const UnixMillis length = kMinute * request.duration.value_or(kMinutesUsual);
  Interval interval;
  if (request.start_time) {
    interval.begin = *request.start_time;
    interval.end = request.end_time.value_or(request.duration ? interval.begin + length : now);
  } else {
    interval.end = request.end_time.value_or(now);
    interval.begin = interval.end - length;
  }
  if (interval.begin > interval.end) {
    return ApiError{ApiErrorCode::kInvalidParameterCombination,
                    "StartTime must not be later than EndTime, or than now."};
  }
  interval.begin = std::max(interval.begin, now - kMinute * kMinutesMax);
  return interval;
}

struct Found {
  std::string key;
  Event event;
};

bool IsWanted(const Event& event, const ActionContext& context,
              const elasticache::DescribeEventsRequest& request) {
  if (event.account != context.account_id || event.region != context.region) return false;
  if (request.source_type && event.source_type != *request.source_type) return false;
  return !request.source_identifier ||
         EqualsIgnoreCase(event.source_id, *request.source_identifier);
}

ApiResult<std::vector<Found>> FindEvents(const ActionContext& context,
                                         const elasticache::DescribeEventsRequest& request,
                                         const Interval& interval) {
  const auto listed = context.store.List(kEventsPrefix);
  if (!listed.ok()) {
    Log(LogLevel::kError, "api", "{}", listed.error().message);
    return ApiError{ApiErrorCode::kServiceUnavailable, {}};
  }
  std::vector<Found> found;
  for (const KeyValue& kv : *listed) {
    auto event = EventFromJson(kv.value);
    if (!event.ok()) {
      Log(LogLevel::kError, "api", "{}: {}", kv.key, event.error().message);
      continue;
    }
    if (event->at < interval.begin || event->at > interval.end) continue;
    if (IsWanted(*event, context, request)) found.push_back({kv.key, std::move(*event)});
  }
  return found;
}

}  // namespace

ApiResult<elasticache::DescribeEventsResult> DescribeEvents(
    ActionContext& context, const elasticache::DescribeEventsRequest& request) {
  ASSIGN_OR_RETURN(const Interval interval, IntervalOf(request, context.clock.NowMillis()));
  ASSIGN_OR_RETURN(std::vector<Found> found, FindEvents(context, request, interval));
  ASSIGN_OR_RETURN(auto page, PageOf(
                                  std::move(found), [](const Found& one) { return one.key; },
                                  request.max_records, request.marker));
  elasticache::DescribeEventsResult result;
  result.marker = page.next_token;
  for (Found& one : page.items) {
    elasticache::Event wire;
    wire.source_identifier = std::move(one.event.source_id);
    wire.source_type = std::move(one.event.source_type);
    wire.message = std::move(one.event.message);
    wire.date = one.event.at;
    result.events.push_back(std::move(wire));
  }
  return result;
}

}  // namespace mikura::control
