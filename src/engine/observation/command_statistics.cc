// SPDX-License-Identifier: Apache-2.0
#include "engine/observation/command_statistics.h"

namespace mikura::engine {
void CommandTotals::Subtract(const CommandTotals& other) {
  calls -= other.calls;
  micros -= other.micros;
  rejected -= other.rejected;
  failed -= other.failed;
  durations.Subtract(other.durations);
}

CommandStatistics::CommandStatistics(const CommandNumbers& numbers)
    : numbers_(numbers), rows_(numbers.rows().size()) {}

CommandStatistics::~CommandStatistics() {
  for (Row& row : rows_) delete row.durations.load(std::memory_order_relaxed);
}

CommandStatistics::Row* CommandStatistics::Remember(const void* row, Remembered& remembered) {
  const uint32_t number = numbers_.Of(row);
  if (number == CommandNumbers::kUnknown) return nullptr;
  remembered = {row, &rows_[number]};
  return remembered.counts;
}

DurationHistogram& CommandStatistics::MakeDurations(Row& counts) {
  auto* const durations = new DurationHistogram;
  counts.durations.store(durations, std::memory_order_release);
  return *durations;
}

void CommandStatistics::NoteRejected(const void* row) {
  if (Row* const counts = RowOf(row)) Raise(counts->rejected, 1);
}

void CommandStatistics::NoteFailed(const void* row) {
  if (Row* const counts = RowOf(row)) Raise(counts->failed, 1);
}

void CommandStatistics::AddTo(uint32_t number, CommandTotals& totals) const {
  const Row& row = rows_[number];
  totals.calls += row.calls.load(std::memory_order_relaxed);
  totals.micros += row.micros.load(std::memory_order_relaxed);
  totals.rejected += row.rejected.load(std::memory_order_relaxed);
  totals.failed += row.failed.load(std::memory_order_relaxed);
  const DurationHistogram* const durations = row.durations.load(std::memory_order_acquire);
  if (durations != nullptr) totals.durations.Add(*durations);
}

}  // namespace mikura::engine
