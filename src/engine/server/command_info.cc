// SPDX-License-Identifier: Apache-2.0
#include "engine/server/command_info.h"

#include <fmt/format.h>

#include <iterator>

#include "engine/commands/command_errors.h"

namespace mikura::engine {
namespace {

// Calls visit(name, totals) for every row that has something to tell.
template <typename Visit>
void ForEachUsed(const Observation& observation, const CommandTable& table, const Visit& visit) {
  const auto look = [&](const CommandSpec& spec) {
    const uint32_t number = observation.numbers.Of(&spec);
    if (number == CommandNumbers::kUnknown) return;
    const CommandTotals totals = observation.Totals(number);
    if (totals.calls + totals.rejected + totals.failed != 0) visit(FullName(spec), totals);
  };
  for (const CommandSpec* spec : table.All()) {
    look(*spec);
    for (const CommandSpec& subcommand : spec->subcommands) look(subcommand);
  }
}

}  // namespace

void AppendCommandStatistics(const Observation& observation, const CommandTable& table,
                             std::string& out) {
  ForEachUsed(observation, table, [&](const std::string& name, const CommandTotals& totals) {
    const double per_call =
        totals.calls == 0 ? 0
                          : static_cast<double>(totals.micros) / static_cast<double>(totals.calls);
    fmt::format_to(std::back_inserter(out),
                   "cmdstat_{}:calls={},usec={},usec_per_call={:.2f},rejected_calls={},"
                   "failed_calls={}\r\n",
                   name, totals.calls, totals.micros, per_call, totals.rejected, totals.failed);
  });
}

void AppendErrorStatistics(const Observation& observation, std::string& out) {
  for (const auto& [code, count] : observation.errors.Counts()) {
    fmt::format_to(std::back_inserter(out), "errorstat_{}:count={}\r\n", code, count);
  }
}

void AppendLatencyStatistics(const Observation& observation, const CommandTable& table,
                             std::string& out) {
  ForEachUsed(observation, table, [&](const std::string& name, const CommandTotals& totals) {
    if (totals.durations.total() == 0) return;
    fmt::format_to(std::back_inserter(out),
                   "latency_percentiles_usec_{}:p50={}.000,p99={}.000,p99.9={}.000\r\n", name,
                   totals.durations.Quantile(0.5), totals.durations.Quantile(0.99),
                   totals.durations.Quantile(0.999));
  });
}

}  // namespace mikura::engine
