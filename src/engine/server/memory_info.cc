// SPDX-License-Identifier: Apache-2.0
#include "engine/server/memory_info.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace mikura::engine {
namespace {

struct Resident {
  uint64_t all = 0;
  uint64_t anonymous = 0;  // without pages of files
};

// Zeros when /proc cannot be read.
Resident ReadResident() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return {};
  unsigned long long total = 0;
  unsigned long long resident = 0;
  unsigned long long shared = 0;
  const int fields = std::fscanf(file, "%llu %llu %llu", &total, &resident, &shared);
  std::fclose(file);
  if (fields != 3) return {};
  const auto page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return {resident * page_bytes, (resident - std::min(shared, resident)) * page_bytes};
}

uint64_t AtLeastZero(int64_t value) { return value < 0 ? 0 : static_cast<uint64_t>(value); }

// One line for each number, and one with the same for people where Redis has that.
class Lines {
 public:
  void Bytes(std::string_view name, uint64_t value) {
    fmt::format_to(std::back_inserter(text_), "{}:{}\r\n", name, value);
  }
  void BytesAndHuman(std::string_view name, uint64_t value) {
    Bytes(name, value);
    Human(name, value);
  }
  void Human(std::string_view name, uint64_t value) {
    fmt::format_to(std::back_inserter(text_), "{}_human:{}\r\n", name, HumanText(value));
  }
  void Percent(std::string_view name, uint64_t part, uint64_t whole) {
    fmt::format_to(std::back_inserter(text_), "{}:{:.2f}%\r\n", name,
                   100 * MemoryRatio(part, whole));
  }
  void Text(std::string_view name, std::string_view value) {
    fmt::format_to(std::back_inserter(text_), "{}:{}\r\n", name, value);
  }
  // How far `held` exceeds `used`.
  void Excess(std::string_view prefix, uint64_t held, uint64_t used) {
    fmt::format_to(std::back_inserter(text_), "{0}_ratio:{1:.2f}\r\n{0}_bytes:{2}\r\n", prefix,
                   MemoryRatio(held, used),
                   static_cast<int64_t>(held) - static_cast<int64_t>(used));
  }
  std::string Take() { return std::move(text_); }

 private:
  static std::string HumanText(uint64_t bytes) {
    const auto n = static_cast<double>(bytes);
    if (bytes < 1024) return fmt::format("{}B", bytes);
    if (bytes < (1ULL << 20)) return fmt::format("{:.2f}K", n / (1ULL << 10));
    if (bytes < (1ULL << 30)) return fmt::format("{:.2f}M", n / (1ULL << 20));
    return fmt::format("{:.2f}G", n / (1ULL << 30));
  }

  std::string text_;
};

void AddScriptLines(Lines& lines, const MemoryReport::Scripts& scripts) {
  lines.Bytes("used_memory_lua", scripts.vm_eval);
  lines.Bytes("used_memory_vm_eval", scripts.vm_eval);
  lines.Human("used_memory_lua", scripts.vm_eval);
  lines.Bytes("used_memory_scripts_eval", scripts.cached);
  lines.Bytes("number_of_cached_scripts", scripts.count);
  lines.Bytes("number_of_functions", scripts.function_count);
  lines.Bytes("number_of_libraries", scripts.library_count);
  lines.Bytes("used_memory_vm_functions", scripts.vm_functions);
  lines.BytesAndHuman("used_memory_vm_total", scripts.vm_eval + scripts.vm_functions);
  lines.Bytes("used_memory_functions", scripts.libraries);
  lines.BytesAndHuman("used_memory_scripts", scripts.cached + scripts.libraries);
}

// What scripts and functions take. All of it lies in memory of malloc.
MemoryReport::Scripts ReadScripts(const Scripts& scripts) {
  MemoryReport::Scripts report;
  report.count = scripts.cache.script_count();
  report.cached = scripts.cache.memory_bytes();
  report.vm_eval = scripts.script_vm_bytes.load(std::memory_order_relaxed);
  report.vm_functions = scripts.function_vm_bytes.load(std::memory_order_relaxed);
  const scripting::FunctionSetPtr functions = scripts.functions.Snapshot();
  report.function_count = functions->function_count();
  report.library_count = functions->libraries.size();
  for (const auto& [name, library] : functions->libraries) {
    report.libraries += name.size() + library->code.size();
    for (const scripting::FunctionInfo& function : library->functions) {
      report.libraries += sizeof(function) + function.name.size();
    }
  }
  return report;
}

}  // namespace

void MemoryMeter::NoteStart(const LoopGroup& loops, const Scripts& scripts) {
  at_start_ = Read(loops, scripts, 0).used;
}

MemoryReport MemoryMeter::Read(const LoopGroup& loops, const Scripts& scripts,
                               uint64_t backlog_bytes) {
  MemoryReport report;
  report.scripts = ReadScripts(scripts);
  const store::SlabAllocator& slabs = keyspace_.allocator();
  uint64_t buffers = 0;
  for (const auto& loop : loops.loops()) {
    report.clients += loop->client_bytes();
    buffers += loop->counted_client_bytes();
  }
  report.eviction_queues = keyspace_.evictor().MemoryBytes();
  report.counted = AtLeastZero(keyspace_.gauge().ExactBytes());
  // Queues and buffers are counted against the limit, but lie in memory of malloc.
  const auto in_malloc = static_cast<int64_t>(report.eviction_queues + buffers);
  report.region_used = AtLeastZero(static_cast<int64_t>(report.counted) - in_malloc);
  const struct mallinfo2 heap = mallinfo2();
  report.malloc_used = heap.uordblks + heap.hblkhd;
  report.malloc_held = heap.arena + heap.hblkhd;
  report.used = report.region_used + report.malloc_used;
  report.at_start = std::min(at_start_, report.used);
  report.overflow_buckets = slabs.overflow_bucket_bytes();
  report.replication_backlog = backlog_bytes;
  for (int number = 0; number < keyspace_.database_count(); ++number) {
    const uint64_t keys = keyspace_.KeyCount(number);
    if (keys == 0) continue;
    report.databases.push_back(
        {number, keys, keyspace_.TableBytes(number), keyspace_.ExpiryBytes(number)});
  }
  report.limit = node_.maxmemory_bytes.load(std::memory_order_relaxed);
  report.policy = store::EvictionPolicyName(keyspace_.evictor().settings().policy);

  const Resident resident = ReadResident();
  report.resident = resident.all;
  report.resident_private = resident.anonymous;
  const store::SlotPool::Counts counts = slabs.counts();
  report.spans = counts.spans;
  report.wasted_slots = counts.waste_bytes;
  report.free_spans = slabs.dirty_bytes();
  report.region_held = counts.given_out_bytes + counts.waste_bytes + slabs.large_bytes();
  report.system_total =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  report.is_defragmenting = keyspace_.is_defragmenting();
  report.reclaiming_keys = keyspace_.reclaimer().waiting_keys();
  report.reclaimed_keys = keyspace_.reclaimer().freed_keys();
  const uint64_t peak =
      std::max({peak_.load(std::memory_order_relaxed), report.used,
                AtLeastZero(keyspace_.peak_bytes() - in_malloc) + report.malloc_used});
  peak_.store(peak, std::memory_order_relaxed);
  report.peak = peak;
  return report;
}

std::string MemoryInfoText(const MemoryReport& report) {
  Lines lines;
  lines.BytesAndHuman("used_memory", report.used);
  lines.BytesAndHuman("used_memory_rss", report.resident);
  lines.BytesAndHuman("used_memory_peak", report.peak);
  lines.Percent("used_memory_peak_perc", report.used, report.peak);
  lines.Bytes("used_memory_overhead", report.overhead());
  lines.Bytes("used_memory_startup", report.at_start);
  lines.Bytes("used_memory_dataset", report.dataset());
  lines.Percent("used_memory_dataset_perc", std::min(report.dataset(), report.grown()),
                report.grown());
  lines.Bytes("allocator_allocated", report.used);
  lines.Bytes("allocator_active", report.active());
  lines.Bytes("allocator_resident", report.resident_private);
  lines.BytesAndHuman("total_system_memory", report.system_total);
  AddScriptLines(lines, report.scripts);
  lines.BytesAndHuman("maxmemory", report.limit);
  lines.Text("maxmemory_policy", report.policy);
  lines.Excess("allocator_frag", report.active(), report.used);
  lines.Excess("allocator_rss", report.resident_private, report.active());
  lines.Excess("rss_overhead", report.resident, report.resident_private);
  lines.Excess("mem_fragmentation", report.resident, report.used);
  lines.Bytes("mem_not_counted_for_evict", report.not_counted());
  lines.Bytes("mem_replication_backlog", report.replication_backlog);
  lines.Bytes("mem_total_replication_buffers", report.replication_backlog);
  lines.Bytes("mem_clients_slaves", 0);  // replicas read the backlog itself
  lines.Bytes("mem_clients_normal", report.clients);
  lines.Bytes("mem_cluster_links", 0);
  lines.Bytes("mem_aof_buffer", 0);
  lines.Text("mem_allocator", "mikura-slab");
  lines.Bytes("active_defrag_running", report.is_defragmenting ? 1 : 0);
  lines.Bytes("lazyfree_pending_objects", report.reclaiming_keys);
  lines.Bytes("lazyfreed_objects", report.reclaimed_keys);
  return lines.Take();
}

}  // namespace mikura::engine
