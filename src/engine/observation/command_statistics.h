// SPDX-License-Identifier: Apache-2.0
// What one event loop has run, command by command. Counted by that loop's thread, read by anybody.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/observation/duration_histogram.h"
#include "engine/observation/tick_clock.h"

namespace mikura::engine {

// Numbers the rows of the command table; immutable. A row is known by its address alone.
class CommandNumbers {
 public:
  static constexpr uint32_t kUnknown = UINT32_MAX;

  void Add(const void* row) {
    numbers_.emplace(row, static_cast<uint32_t>(rows_.size()));
    rows_.push_back(row);
  }
  uint32_t Of(const void* row) const {
    const auto found = numbers_.find(row);
    return found == numbers_.end() ? kUnknown : found->second;
  }
  const std::vector<const void*>& rows() const { return rows_; }

 private:
  std::unordered_map<const void*, uint32_t> numbers_;
  std::vector<const void*> rows_;
};

// Sums over loops.
struct CommandTotals {
  uint64_t calls = 0;
  uint64_t micros = 0;
  uint64_t rejected = 0;
  uint64_t failed = 0;
  DurationCounts durations;

  void Subtract(const CommandTotals& other);
};

class CommandStatistics {
 public:
  // numbers: outlives it.
  explicit CommandStatistics(const CommandNumbers& numbers);
  ~CommandStatistics();
  CommandStatistics(const CommandStatistics&) = delete;
  CommandStatistics& operator=(const CommandStatistics&) = delete;

  // ---- The loop's thread.
  // ticks: how long it ran (tick_clock.h). `failed`: it answered an error. Returns it in
  // microseconds, rounded down; what calls take beyond whole microseconds adds up.
  uint64_t NoteCall(const void* row, uint64_t ticks, const TickScale& scale, bool failed,
                    bool counts_durations) {
    const uint64_t micros = scale.ToMicros(ticks);
    Row* const counts = RowOf(row);
    if (counts == nullptr) [[unlikely]]
      return micros;
    Raise(counts->calls, 1);
    counts->ticks_left += ticks;
    if (counts->ticks_left >= scale.ticks_per_micro()) {
      const uint64_t whole = scale.ToMicros(counts->ticks_left);
      counts->ticks_left -=
          std::min(counts->ticks_left, scale.FromMicros(static_cast<int64_t>(whole)));
      Raise(counts->micros, whole);
    }
    if (failed) Raise(counts->failed, 1);
    if (counts_durations) CountDuration(*counts, micros);
    return micros;
  }
  // It was refused before it ran.
  void NoteRejected(const void* row);
  // A call that was noted as a good one answered an error later.
  void NoteFailed(const void* row);

  // ---- Any thread.
  void AddTo(uint32_t number, CommandTotals& totals) const;

 private:
  struct Row {
    std::atomic<uint64_t> calls{0};
    std::atomic<uint64_t> micros{0};
    uint64_t ticks_left = 0;  // that make no microsecond yet; of the loop's thread
    std::atomic<uint64_t> rejected{0};
    std::atomic<uint64_t> failed{0};
    // Made by the first call; publishes the empty histogram to readers.
    std::atomic<DurationHistogram*> durations{nullptr};
  };
  struct Remembered {
    const void* row = nullptr;
    Row* counts = nullptr;
  };
  // One writer: no need for an atomic addition.
  static void Raise(std::atomic<uint64_t>& counter, uint64_t by) {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  Row* RowOf(const void* row) {
    Remembered& remembered =
        remembered_[(reinterpret_cast<uintptr_t>(row) >> 4) % remembered_.size()];
    return remembered.row == row ? remembered.counts : Remember(row, remembered);
  }
  // Null for what is no row.
  Row* Remember(const void* row, Remembered& remembered);
  void CountDuration(Row& counts, uint64_t micros) {
    DurationHistogram* const durations = counts.durations.load(std::memory_order_relaxed);
    (durations != nullptr ? *durations : MakeDurations(counts)).Count(micros);
  }
  static DurationHistogram& MakeDurations(Row& counts);

  const CommandNumbers& numbers_;
  std::vector<Row> rows_;
  std::array<Remembered, 64> remembered_;  // by address: pipelines repeat their commands
};

}  // namespace mikura::engine
