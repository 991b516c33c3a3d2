// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/hyperloglog_editor.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace mikura::engine {

void HyperLogLogEditor::Clear() {
  WriteHeader(bytes_, HyperLogLogForm::kSparse);
  size_ = kHyperLogLogHeaderBytes;
  size_ += WriteRun(bytes_ + size_, 0, kHyperLogLogRegisters);
  is_dense_ = remembers_ = false;
  start_ = {};
  last_position_ = 0;
}

bool HyperLogLogEditor::Load(std::string_view value) {
  Clear();
  is_dense_ = FormOf(value) == HyperLogLogForm::kDense;
  if (!is_dense_ && (value.size() > kHyperLogLogBytesMax || !HistogramOf(value))) return false;
  std::copy(value.begin(), value.end(), bytes_);
  size_ = value.size();
  return true;
}

void HyperLogLogEditor::RememberRegisters() {
  registers_.fill(0);
  CHECK(MergeInto(value(), registers_));
  remembers_ = true;
}

bool HyperLogLogEditor::Raise(const HyperLogLogMark& mark) {
  if (remembers_) {
    if (registers_[mark.position] >= mark.value) return false;
    registers_[mark.position] = mark.value;
  }
  char* const registers = bytes_ + kHyperLogLogHeaderBytes;
  if (is_dense_) {
    if (DenseRegister(registers, mark.position) >= mark.value) return false;
  } else {
    const Change change = mark.value > kSparseValueMax ? Change::kDoesNotFit : RaiseSparse(mark);
    if (change != Change::kDoesNotFit) return change == Change::kDone;
    MakeDense();
  }
  SetDenseRegister(registers, mark.position, mark.value);
  return true;
}

void HyperLogLogEditor::MakeDense() {
  if (is_dense_) return;
  if (!remembers_) RememberRegisters();
  remembers_ = false;                        // what is dense is as quick
  SetForm(bytes_, HyperLogLogForm::kDense);  // the rest of the header stays
  std::memset(bytes_ + kHyperLogLogHeaderBytes, 0,
              kHyperLogLogDenseBytes - kHyperLogLogHeaderBytes);
  for (uint32_t i = 0; i < kHyperLogLogRegisters; ++i) {
    SetDenseRegister(bytes_ + kHyperLogLogHeaderBytes, i, registers_[i]);
  }
  size_ = kHyperLogLogDenseBytes;
  is_dense_ = true;
}

// The run of a register. Runs behind start_ may have been joined since the last search, but each
// from start_ up to before_ still begins where it did.
HyperLogLogEditor::Place HyperLogLogEditor::PlaceOf(uint32_t position) {
  Place place = position > last_position_ ? start_ : Place{};
  last_position_ = position;
  start_ = before_ = place;
  has_before_ = false;
  while (true) {
    const SparseRun run = FirstRun(RunsFrom(place.at));
    if (position < place.first + run.length) return place;
    if (has_before_) start_ = before_;
    before_ = place;
    has_before_ = true;
    place.at += run.bytes;
    place.first += run.length;
  }
}

// Splits the run that has the register, unless it is nothing but that register.
HyperLogLogEditor::Change HyperLogLogEditor::RaiseSparse(const HyperLogLogMark& mark) {
  const Place place = PlaceOf(mark.position);
  const SparseRun run = FirstRun(RunsFrom(place.at));
  if (run.value >= mark.value) return Change::kNone;
  char split[5];
  size_t bytes = 0;
  const uint32_t before = mark.position - place.first;
  const uint32_t behind = run.length - before - 1;
  if (before > 0) bytes += WriteRun(split + bytes, run.value, before);
  bytes += WriteRun(split + bytes, mark.value, 1);
  if (behind > 0) bytes += WriteRun(split + bytes, run.value, behind);
  if (bytes > run.bytes && static_cast<int64_t>(size_ + bytes - run.bytes) > sparse_bytes_max_) {
    return Change::kDoesNotFit;
  }
  Replace(place.at, run.bytes, {split, bytes});
  JoinRuns(has_before_ ? before_.at : kHyperLogLogHeaderBytes);
  engine::DropEstimate(bytes_);
  return Change::kDone;
}

void HyperLogLogEditor::Replace(size_t at, size_t old_bytes, std::string_view bytes) {
  const size_t tail = at + old_bytes;
  const size_t size = size_ - old_bytes + bytes.size();
  CHECK(size <= kHyperLogLogBytesMax);  // by H2: the runs are as long as there are registers
  std::memmove(bytes_ + at + bytes.size(), bytes_ + tail, size_ - tail);
  std::memcpy(bytes_ + at, bytes.data(), bytes.size());
  size_ = size;
}

// Joins neighbours of the same value, among five runs: as far as a change can reach, and no
// further, as Redis does.
void HyperLogLogEditor::JoinRuns(size_t from) {
  size_t at = from;
  for (int left = 5; left > 0 && at < size_; --left) {
    const SparseRun run = FirstRun(RunsFrom(at));
    const size_t next = at + run.bytes;
    if (run.value != 0 && next < size_) {
      const SparseRun neighbour = FirstRun(RunsFrom(next));
      const uint32_t length = run.length + neighbour.length;
      if (neighbour.value == run.value && length <= kSparseValueLengthMax) {
        char joined[2];
        WriteRun(joined, run.value, length);
        Replace(at, 2, {joined, 1});
        continue;
      }
    }
    at = next;
  }
}

}  // namespace mikura::engine
