// SPDX-License-Identifier: Apache-2.0
// MEMORY: where memory goes.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/memory_report.h"

namespace mikura::engine {
namespace {

// Below this a process is mostly itself, and ratios say nothing.
constexpr uint64_t kDiagnosedBytesMin = 5 << 20;

// MEMORY USAGE key [SAMPLES n] -> bytes of the entry, or null. Exact: samples change nothing.
FaultOr<> MemoryUsage(CommandContext& ctx) {
  for (size_t i = 3; i < ctx.args.size(); i += 2) {
    if (!EqualsIgnoreCase(ctx.args[i], "SAMPLES") || i + 1 >= ctx.args.size()) {
      return Fault::kSyntax;
    }
    ASSIGN_OR_RETURN(const int64_t samples, ToInteger(ctx.args[i + 1]));
    if (samples < 0) return Fault::kSyntax;
  }
  const store::Found found = ctx.keys.Peek(ctx.key_list[0]);
  if (found) {
    ctx.reply.Integer(static_cast<int64_t>(found.entry.memory_bytes()));
  } else {
    ctx.reply.Null();
  }
  return Ok();
}

// Writes one pair after the other; the map's size goes before all.
class StatsWriter {
 public:
  explicit StatsWriter(wire::RespWriter& reply) : reply_(reply) {}

  void Bytes(std::string_view name, uint64_t value) {
    reply_.Bulk(name);
    reply_.Integer(static_cast<int64_t>(value));
  }
  void Number(std::string_view name, double value) {
    reply_.Bulk(name);
    reply_.Double(value);
  }
  // How far `held` exceeds `used`; negative when less is resident than is in use.
  void Excess(std::string_view ratio_name, std::string_view bytes_name, uint64_t held,
              uint64_t used) {
    Number(ratio_name, MemoryRatio(held, used));
    reply_.Bulk(bytes_name);
    reply_.Integer(static_cast<int64_t>(held) - static_cast<int64_t>(used));
  }
  void Database(const MemoryReport::Database& database) {
    reply_.Bulk(fmt::format("db.{}", database.number));
    reply_.Map(3);
    Bytes("overhead.hashtable.main", database.table_bytes);
    Bytes("overhead.hashtable.expires", database.expiry_bytes);
    Bytes("overhead.hashtable.slot-to-keys", 0);
  }

 private:
  wire::RespWriter& reply_;
};

// MEMORY STATS -> a map of numbers, with the names and the order of Redis 7.0.
FaultOr<> MemoryStats(CommandContext& ctx) {
  const MemoryReport report = ctx.services.control.Memory();
  const uint64_t keys = report.keys();
  ctx.reply.Map(27 + report.databases.size());
  StatsWriter out(ctx.reply);
  out.Bytes("peak.allocated", report.peak);
  out.Bytes("total.allocated", report.used);
  out.Bytes("startup.allocated", report.at_start);
  out.Bytes("replication.backlog", report.replication_backlog);
  out.Bytes("clients.slaves", 0);
  out.Bytes("clients.normal", report.clients);
  out.Bytes("cluster.links", 0);
  out.Bytes("aof.buffer", 0);
  out.Bytes("lua.caches", 0);
  out.Bytes("functions.caches", 0);
  for (const MemoryReport::Database& database : report.databases) out.Database(database);
  out.Bytes("overhead.total", report.overhead());
  out.Bytes("keys.count", keys);
  out.Bytes("keys.bytes-per-key", keys == 0 ? 0 : report.grown() / keys);
  out.Bytes("dataset.bytes", report.dataset());
  out.Number("dataset.percentage",
             std::min(100.0, 100 * MemoryRatio(report.dataset(), report.grown())));
  out.Number("peak.percentage", 100 * MemoryRatio(report.used, report.peak));
  out.Bytes("allocator.allocated", report.used);
  out.Bytes("allocator.active", report.active());
  out.Bytes("allocator.resident", report.resident_private);
  out.Excess("allocator-fragmentation.ratio", "allocator-fragmentation.bytes", report.active(),
             report.used);
  out.Excess("allocator-rss.ratio", "allocator-rss.bytes", report.resident_private,
             report.active());
  out.Excess("rss-overhead.ratio", "rss-overhead.bytes", report.resident, report.resident_private);
  out.Excess("fragmentation", "fragmentation.bytes", report.resident, report.used);
  return Ok();
}

// MEMORY DOCTOR -> what is striking about the report, in words.
FaultOr<> MemoryDoctor(CommandContext& ctx) {
  const MemoryReport report = ctx.services.control.Memory();
  std::string out;
  const auto note = [&out](std::string text) { out += " * " + std::move(text) + "\n"; };
  if (report.used < kDiagnosedBytesMin) {
    out = "Too little memory is in use (below 5 MiB) for its distribution to mean anything.\n";
    ctx.reply.Verbatim("txt", out);
    return Ok();
  }
  if (MemoryRatio(report.peak, report.used) > 1.5) {
    note(
        fmt::format("Peak: {} bytes were in use once, {} are now. What was given back may show as "
                    "resident for some seconds; MEMORY PURGE returns it at once.",
                    report.peak, report.used));
  }
  if (MemoryRatio(report.wasted_slots, report.region_used) > 0.2) {
    note(fmt::format(
        "Fragmentation: {} bytes of free slots lie between used ones. {}", report.wasted_slots,
        report.is_defragmenting ? "They are being gathered now."
                                : "With 'activedefrag yes' they are gathered in the background."));
  }
  if (MemoryRatio(report.free_spans, report.used) > 0.2) {
    note(fmt::format("Unreturned: {} free bytes wait to be given back to the machine.",
                     report.free_spans));
  }
  if (MemoryRatio(report.clients, report.used) > 0.2) {
    note(fmt::format("Clients: {} bytes are their buffers. CLIENT LIST shows who does not read.",
                     report.clients));
  }
  if (report.limit != 0 && report.counted > report.limit) {
    note(fmt::format("Limit: {} bytes count against maxmemory, which is {}.", report.counted,
                     report.limit));
  }
  ctx.reply.Verbatim("txt", out.empty() ? "Nothing about the use of memory is striking.\n"
                                        : "What is striking about the use of memory:\n" + out);
  return Ok();
}

// MEMORY MALLOC-STATS -> what the allocator holds, in words of its own.
FaultOr<> MemoryMallocStats(CommandContext& ctx) {
  const MemoryReport report = ctx.services.control.Memory();
  ctx.reply.Verbatim(
      "txt",
      fmt::format("region: {} bytes in use in {} spans of 64 KiB and in pages of large values\n"
                  "region: {} bytes of free slots in these spans, {} bytes of free memory not yet "
                  "given back\n"
                  "malloc: {} bytes in use, {} held\n"
                  "resident: {} bytes, {} without pages of files\n"
                  "defragmentation: {}\n",
                  report.region_used, report.spans, report.wasted_slots, report.free_spans,
                  report.malloc_used, report.malloc_held, report.resident, report.resident_private,
                  report.is_defragmenting ? "running" : "idle"));
  return Ok();
}

// MEMORY PURGE: free memory goes back to the machine before the reply.
FaultOr<> MemoryPurge(CommandContext& ctx) {
  ctx.keyspace.ReturnFreeMemory();
  ctx.reply.Ok();
  return Ok();
}

// As Redis words it: its lines are what clients parse.
FaultOr<> MemoryHelp(CommandContext& ctx) {
  constexpr std::string_view kLines[] = {
      "MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
      "DOCTOR",
      "    Return memory problems reports.",
      "MALLOC-STATS",
      "    Return internal statistics report from the memory allocator.",
      "PURGE",
      "    Attempt to purge dirty pages for reclamation by the allocator.",
      "STATS",
      "    Return information about the memory usage of the server.",
      "USAGE <key> [SAMPLES <count>]",
      "    Return memory in bytes used by <key> and its value. Nested values are",
      "    sampled up to <count> times (default: 5, 0 means sample all).",
      "HELP",
      "    Prints this help.",
  };
  ctx.reply.Array(std::size(kLines));
  for (const std::string_view line : kLines) ctx.reply.Simple(line);
  return Ok();
}

constexpr std::string_view kPurgeTips = "request_policy:all_shards|response_policy:all_succeeded";
constexpr std::string_view kReportTips =
    "nondeterministic_output|request_policy:all_shards|response_policy:special";

constexpr CommandSpec kMemorySubcommands[] = {
    {.name = "DOCTOR",
     .handler = MemoryDoctor,
     .arity = Exactly(2),
     .group = "server",
     .since = "4.0.0",
     .summary = "Says in words what is striking about the use of memory.",
     .tips = kReportTips,
     .parent = "MEMORY"},
    {.name = "HELP",
     .handler = MemoryHelp,
     .arity = Exactly(2),
     .flags = kLoadingOk | kStaleOk,
     .group = "server",
     .since = "4.0.0",
     .summary = "Lists the subcommands.",
     .parent = "MEMORY"},
    {.name = "MALLOC-STATS",
     .handler = MemoryMallocStats,
     .arity = Exactly(2),
     .group = "server",
     .since = "4.0.0",
     .summary = "Shows what the allocator holds.",
     .tips = kReportTips,
     .parent = "MEMORY"},
    {.name = "PURGE",
     .handler = MemoryPurge,
     .arity = Exactly(2),
     .group = "server",
     .since = "4.0.0",
     .summary = "Gives free memory back to the machine.",
     .tips = kPurgeTips,
     .parent = "MEMORY"},
    {.name = "STATS",
     .handler = MemoryStats,
     .arity = Exactly(2),
     .group = "server",
     .since = "4.0.0",
     .summary = "Shows what memory is used for.",
     .tips = kReportTips,
     .parent = "MEMORY"},
    {.name = "USAGE",
     .handler = MemoryUsage,
     .arity = AtLeast(3),
     .keys = OneKeyAt(2),
     .flags = kReadOnly,
     .group = "server",
     .since = "4.0.0",
     .summary = "Returns the bytes of memory a key and its value take.",
     .key_access = "RO",
     .parent = "MEMORY"},
};

constexpr CommandSpec kMemoryCommands[] = {
    {.name = "MEMORY",
     .arity = AtLeast(2),
     .group = "server",
     .since = "4.0.0",
     .summary = "Shows where memory goes.",
     .subcommands = kMemorySubcommands},
};

}  // namespace

std::span<const CommandSpec> MemoryCommands() { return kMemoryCommands; }

}  // namespace mikura::engine
