// SPDX-License-Identifier: Apache-2.0
// What delivered logs look like: the lines that ElastiCache documents for its slow log and its
// engine log, as text and as JSON. Pure.
//
// Source: ElastiCache user guide, "Log delivery". The arguments of commands are left out, as there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/agent/admin_reply.h"
#include "control/model/log_delivery.h"

namespace mikura::control {

struct SlowLogEntry {
  int64_t id = 0;
  int64_t at_seconds = 0;
  int64_t micros = 0;
  std::string command;  // "GET ... (1 more arguments)"
  std::string client_address;
  std::string client_name;
};

// The answer to SLOWLOG GET, newest first. Errors: it is something else.
Result<std::vector<SlowLogEntry>> ParseSlowLog(const AdminReply& reply);

// One line, with its end.
std::string SlowLogLine(const LogTarget& target, const SlowLogEntry& entry);

// `line` is one of an engine's log file, without its end; `role` is 'M' of a primary, 'S' of a
// replica. What is not in the form of base/logging.h (a library's words, a stack) is a message of
// level WARNING from `now`, "2026-01-02T03:04:05.678Z".
std::string EngineLogLine(const LogTarget& target, char role, std::string_view line,
                          std::string_view now);

}  // namespace mikura::control
