// SPDX-License-Identifier: Apache-2.0
#include "control/model/call_quota.h"

#include "base/numbers.h"
#include "control/model/record_json.h"

namespace mikura::control {
namespace {

constexpr UnixMillis kMinute = 60'000;
constexpr UnixMillis kDay = 24 * 3'600'000;

}  // namespace

template <typename Visitor>
void VisitFields(Visitor& visit, CallQuota& quota) {
  visit("calls", quota.calls);
}

bool CallQuota::Admit(UnixMillis now, size_t limit) {
  // A call of a time to come was noted while the clock was wrong.
  std::erase_if(calls, [&](const std::string& text) {
    const UnixMillis at = ParseInt64(text).value_or(0);
    return at <= now - kDay || at > now + kMinute;
  });
  if (calls.size() >= limit) return false;
  calls.push_back(std::to_string(now));
  return true;
}

std::string ToJson(const CallQuota& quota) { return RecordToJson(quota); }

Result<CallQuota> CallQuotaFromJson(std::string_view text) {
  return RecordFromJson<CallQuota>("call quota", text);
}

}  // namespace mikura::control
