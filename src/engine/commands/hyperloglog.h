// SPDX-License-Identifier: Apache-2.0
// HyperLogLog: how many different elements were seen, within a percent, in at most 12 KB. Here: the
// bytes of such a value, as Redis lays them out (docs/formats/hyperloglog.md), and the estimate.
//
// Any client may have written the bytes. What reads them trusts neither lengths nor counts:
//   H1. Nothing is read behind the end of the value, and no register above the last is written.
//   H2. Sparse runs are sound when each lies in the value as a whole and all of them together are
//       exactly kHyperLogLogRegisters long. Others are never changed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mikura::engine {

inline constexpr uint32_t kHyperLogLogRegisters = 16384;
inline constexpr size_t kHyperLogLogHeaderBytes = 16;
inline constexpr size_t kHyperLogLogDenseBytes =
    kHyperLogLogHeaderBytes + kHyperLogLogRegisters * 6 / 8;
// No sound value is longer: a run of two bytes for each register.
inline constexpr size_t kHyperLogLogBytesMax =
    kHyperLogLogHeaderBytes + size_t{2} * kHyperLogLogRegisters;

using HyperLogLogArray = std::array<uint8_t, kHyperLogLogRegisters>;

// What an element says: the register is at least this great.
struct HyperLogLogMark {
  uint32_t position = 0;
  uint8_t value = 0;
};
HyperLogLogMark MarkOf(std::string_view element);

// ---- The header.
enum class HyperLogLogForm : uint8_t { kNone, kDense, kSparse };
// kNone: the bytes are no HyperLogLog.
HyperLogLogForm FormOf(std::string_view value);
// The estimate that is kept in the header; nullopt when it is out of date.
std::optional<uint64_t> KeptEstimate(std::string_view value);
// `value` begins with a header.
void KeepEstimate(char* value, uint64_t estimate);
void DropEstimate(char* value);
// The header of a value without elements, whose estimate (0) is kept.
void WriteHeader(char* value, HyperLogLogForm form);
void SetForm(char* value, HyperLogLogForm form);

// ---- Dense registers, behind the header.
uint8_t DenseRegister(const char* registers, uint32_t position);
void SetDenseRegister(char* registers, uint32_t position, uint8_t value);

// ---- Sparse runs, behind the header. A run of `length` registers that are all `value`; 0: its
// bytes are not all there.
struct SparseRun {
  uint8_t value = 0;
  uint8_t bytes = 0;  // 1, or 2 for a long run of zeros
  uint32_t length = 0;
};
inline constexpr uint8_t kSparseValueMax = 32;
inline constexpr uint32_t kSparseValueLengthMax = 4;
// The run with which `runs`, which is not empty, begins.
SparseRun FirstRun(std::string_view runs);
// Writes such a run (a shorter form when there is one); returns its bytes.
size_t WriteRun(char* to, uint8_t value, uint32_t length);

// ---- Whole values of a known form (FormOf is not kNone).
// Raises each register to that of `value`. False when its runs are not sound; some registers may
// have been raised then.
bool MergeInto(std::string_view value, HyperLogLogArray& registers);
// How many registers have each value. Nullopt when the runs are not sound.
using HyperLogLogHistogram = std::array<uint32_t, 64>;
std::optional<HyperLogLogHistogram> HistogramOf(std::string_view value);
HyperLogLogHistogram HistogramOf(const HyperLogLogArray& registers);
// Source: Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017.
uint64_t Estimate(const HyperLogLogHistogram& histogram);

}  // namespace mikura::engine
