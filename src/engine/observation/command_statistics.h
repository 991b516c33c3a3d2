// SPDX-License-Identifier: Apache-2.0
// What one event loop has run, command by command. Counted by that loop's thread, read by anybody.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/observation/duration_histogram.h"

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
  // micros: how long it ran. `failed`: it answered an error.
  void NoteCall(const void* row, uint64_t micros, bool failed, bool counts_durations);
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
    std::atomic<uint64_t> rejected{0};
    std::atomic<uint64_t> failed{0};
    // Made by the first call; publishes the empty histogram to readers.
    std::atomic<DurationHistogram*> durations{nullptr};
  };
  struct Remembered {
    const void* row = nullptr;
    Row* counts = nullptr;
  };
  Row* RowOf(const void* row);

  const CommandNumbers& numbers_;
  std::vector<Row> rows_;
  std::array<Remembered, 64> remembered_;  // by address: pipelines repeat their commands
};

}  // namespace mikura::engine
