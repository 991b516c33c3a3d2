// SPDX-License-Identifier: Apache-2.0
// How often an operation was called in the last 24 hours, where AWS limits that.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace mikura::control {

struct CallQuota {
  std::vector<std::string> calls;  // when, in Unix milliseconds, from old to new

  // Notes a call, unless there were `limit` in the 24 hours before `now`. Returns whether it did.
  bool Admit(UnixMillis now, size_t limit);
};

std::string ToJson(const CallQuota& quota);
Result<CallQuota> CallQuotaFromJson(std::string_view text);

}  // namespace mikura::control
