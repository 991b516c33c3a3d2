// SPDX-License-Identifier: Apache-2.0
// LATENCY: what kept clients waiting, and how long commands take.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/latency_graph.h"
#include "engine/commands/subcommand_help.h"

namespace mikura::engine {
namespace {

FaultOr<> LatencyHistory(CommandContext& ctx) {
  const auto samples = ctx.services.observation.latency.History(ctx.args[2]);
  ctx.reply.Array(samples.size());
  for (const LatencySample& sample : samples) {
    ctx.reply.Array(2);
    ctx.reply.Integer(sample.at_seconds);
    ctx.reply.Integer(static_cast<int64_t>(sample.millis));
  }
  return Ok();
}

FaultOr<> LatencyLatest(CommandContext& ctx) {
  const auto events = ctx.services.observation.latency.Events();
  ctx.reply.Array(events.size());
  for (const LatencyEvent& event : events) {
    ctx.reply.Array(4);
    ctx.reply.Bulk(event.name);
    ctx.reply.Integer(event.samples.back().at_seconds);
    ctx.reply.Integer(static_cast<int64_t>(event.samples.back().millis));
    ctx.reply.Integer(static_cast<int64_t>(event.max_millis));
  }
  return Ok();
}

FaultOr<> LatencyReset(CommandContext& ctx) {
  LatencyMonitor& monitor = ctx.services.observation.latency;
  size_t reset = 0;
  if (ctx.args.size() == 2) {
    reset = monitor.ResetAll();
  } else {
    for (const std::string_view name : ctx.args.subspan(2)) reset += monitor.Reset(name) ? 1 : 0;
  }
  ctx.reply.Integer(static_cast<int64_t>(reset));
  return Ok();
}

FaultOr<> LatencyGraph(CommandContext& ctx) {
  for (const LatencyEvent& event : ctx.services.observation.latency.Events()) {
    if (event.name != ctx.args[2]) continue;
    ctx.reply.Verbatim("txt", DrawLatencyGraph(event, ctx.now() / 1000));
    return Ok();
  }
  ctx.reply.Error("ERR", fmt::format("No samples available for event '{}'", ctx.args[2]));
  return Ok();
}

std::string DescribeEvent(const LatencyEvent& event) {
  double sum = 0;
  for (const LatencySample& sample : event.samples) sum += static_cast<double>(sample.millis);
  const double average = sum / static_cast<double>(event.samples.size());
  double deviation = 0;
  for (const LatencySample& sample : event.samples) {
    deviation += std::abs(static_cast<double>(sample.millis) - average);
  }
  deviation /= static_cast<double>(event.samples.size());
  const auto span = static_cast<double>(
      std::max<int64_t>(1, event.samples.back().at_seconds - event.samples.front().at_seconds));
  return fmt::format(
      "{}: {} latency spikes, {:.0f} ms on average, mean deviation {:.0f} ms, one every {:.2f} "
      "seconds. The worst of all took {} ms.\n",
      event.name, event.samples.size(), average, deviation,
      span / static_cast<double>(event.samples.size()), event.max_millis);
}

FaultOr<> LatencyDoctor(CommandContext& ctx) {
  Observation& observation = ctx.services.observation;
  const auto events = observation.latency.Events();
  std::string text;
  if (events.empty() && observation.latency_millis() <= 0) {
    text =
        "The latency monitor is off. CONFIG SET latency-monitor-threshold <milliseconds> switches "
        "it on.\n";
  } else if (events.empty()) {
    text = "No latency spike was seen since the monitor was switched on or reset.\n";
  } else {
    text = "Latency spikes were seen:\n\n";
    int number = 0;
    for (const LatencyEvent& event : events) {
      text += fmt::format("{}. {}", ++number, DescribeEvent(event));
    }
    text +=
        "\nSLOWLOG GET shows the commands that took long. Scripts and commands on very large "
        "values hold up others that need the same keys.\n";
  }
  ctx.reply.Verbatim("txt", text);
  return Ok();
}

// The name, and how many calls took at most 1, 2, 4 ... microseconds.
void ReplyHistogram(CommandContext& ctx, const CommandSpec& spec, const DurationCounts& counts) {
  std::vector<std::pair<uint64_t, uint64_t>> steps;
  uint64_t seen = 0;
  for (size_t i = 0; i < counts.counts.size(); ++i) {
    if (counts.counts[i] == 0) continue;
    seen += counts.counts[i];
    const uint64_t bound = std::bit_ceil(std::max<uint64_t>(DurationHistogram::LongestOf(i), 1));
    if (!steps.empty() && steps.back().first == bound) {
      steps.back().second = seen;
    } else {
      steps.emplace_back(bound, seen);
    }
  }
  ctx.reply.Bulk(FullName(spec));
  ctx.reply.Map(2);
  ctx.reply.Bulk("calls");
  ctx.reply.Integer(static_cast<int64_t>(seen));
  ctx.reply.Bulk("histogram_usec");
  ctx.reply.Map(steps.size());
  for (const auto& [bound, count] : steps) {
    ctx.reply.Integer(static_cast<int64_t>(bound));
    ctx.reply.Integer(static_cast<int64_t>(count));
  }
}

struct NamedCounts {
  const CommandSpec* spec;
  DurationCounts counts;
};

void AddCounts(CommandContext& ctx, const CommandSpec& spec, std::vector<NamedCounts>& found) {
  const Observation& observation = ctx.services.observation;
  const uint32_t number = observation.numbers.Of(&spec);
  if (number != CommandNumbers::kUnknown) {
    DurationCounts counts = observation.Totals(number).durations;
    if (counts.total() != 0) found.push_back({&spec, counts});
  }
  for (const CommandSpec& subcommand : spec.subcommands) AddCounts(ctx, subcommand, found);
}

// The row of "get" or "client|id"; null when there is none.
const CommandSpec* RowNamed(CommandContext& ctx, std::string_view name) {
  const size_t bar = name.find('|');
  const CommandSpec* const spec = ctx.table.Find(name.substr(0, bar));
  if (spec == nullptr || bar == std::string_view::npos) return spec;
  return ctx.table.FindSubcommand(*spec, name.substr(bar + 1));
}

// LATENCY HISTOGRAM [command ...]
FaultOr<> LatencyHistogram(CommandContext& ctx) {
  std::vector<NamedCounts> found;
  if (ctx.args.size() == 2) {
    for (const CommandSpec* spec : ctx.table.All()) AddCounts(ctx, *spec, found);
  }
  for (const std::string_view name : ctx.args.subspan(2)) {
    if (const CommandSpec* const spec = RowNamed(ctx, name)) AddCounts(ctx, *spec, found);
  }
  ctx.reply.Map(found.size());
  for (const NamedCounts& one : found) ReplyHistogram(ctx, *one.spec, one.counts);
  return Ok();
}

constexpr uint32_t kFlags = kAdmin | kNoScript | kLoadingOk | kStaleOk;

constexpr CommandSpec Row(std::string_view name, CommandHandler handler, Arity arity,
                          std::string_view summary, std::string_view tips) {
  return {.name = name,
          .handler = handler,
          .arity = arity,
          .flags = name == "HELP" ? kLoadingOk | kStaleOk : kFlags,
          .group = "server",
          .since = name == "HISTOGRAM" ? "7.0.0" : "2.8.13",
          .summary = summary,
          .tips = tips,
          .parent = "LATENCY"};
}

constexpr std::string_view kOfAllNodes =
    "nondeterministic_output|request_policy:all_nodes|response_policy:special";

constexpr CommandSpec kSubcommands[] = {
    Row("DOCTOR", LatencyDoctor, Exactly(2), "Describes the latency spikes in words.", kOfAllNodes),
    Row("GRAPH", LatencyGraph, Exactly(3), "Draws the latencies of an event.", kOfAllNodes),
    Row("HELP", SubcommandHelp, Exactly(2), "Lists the subcommands.", ""),
    Row("HISTOGRAM", LatencyHistogram, AtLeast(2), "Shows how long commands take.", kOfAllNodes),
    Row("HISTORY", LatencyHistory, Exactly(3), "Shows the samples of an event.", kOfAllNodes),
    Row("LATEST", LatencyLatest, Exactly(2), "Shows the last sample of each event.", kOfAllNodes),
    Row("RESET", LatencyReset, AtLeast(2), "Forgets all events, or those named.",
        "request_policy:all_nodes|response_policy:all_succeeded"),
};

constexpr CommandSpec kCommands[] = {
    {.name = "LATENCY",
     .arity = AtLeast(2),
     .group = "server",
     .since = "2.8.13",
     .summary = "What kept clients waiting.",
     .subcommands = kSubcommands},
};

}  // namespace

std::span<const CommandSpec> LatencyCommands() { return kCommands; }

}  // namespace mikura::engine
