// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/hyperloglog.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace mikura::engine {
namespace {

constexpr uint32_t kPositionBits = 14;
constexpr uint32_t kRankBits = 64 - kPositionBits;
static_assert(1u << kPositionBits == kHyperLogLogRegisters);

constexpr std::string_view kMagic = "HYLL";
constexpr size_t kFormAt = 4;
constexpr size_t kEstimateAt = 8;
constexpr size_t kEstimateTop = kHyperLogLogHeaderBytes - 1;  // its highest byte
constexpr uint8_t kOutOfDate = 0x80;

// Kinds of runs, by the highest bits of their first byte.
constexpr uint8_t kValueRun = 0x80;
constexpr uint8_t kLongZeroRun = 0x40;
constexpr uint32_t kZeroLengthMax = 64;

uint8_t ByteAt(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

uint64_t ReadLittleEndian(const char* bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = size; i > 0; --i) value = value << 8 | static_cast<uint8_t>(bytes[i - 1]);
  return value;
}

// MurmurHash64A (Austin Appleby, public domain): which register an element belongs to is part of
// the format.
uint64_t HashElement(std::string_view element) {
  constexpr uint64_t kSeed = 0xadc83b19;
  constexpr uint64_t kFactor = 0xc6a4a7935bd1e995;
  uint64_t hash = kSeed ^ element.size() * kFactor;
  const char* at = element.data();
  size_t left = element.size();
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word = ReadLittleEndian(at, 8) * kFactor;
    word = (word ^ word >> 47) * kFactor;
    hash = (hash ^ word) * kFactor;
  }
  if (left > 0) hash = (hash ^ ReadLittleEndian(at, left)) * kFactor;
  hash = (hash ^ hash >> 47) * kFactor;
  return hash ^ hash >> 47;
}

// Calls visit(first, run) for each run that is not of zeros. False when they are not sound (H2).
template <typename Visit>
bool VisitRuns(std::string_view runs, const Visit& visit) {
  uint32_t first = 0;
  while (!runs.empty()) {
    const SparseRun run = FirstRun(runs);
    if (run.length == 0 || run.length > kHyperLogLogRegisters - first) return false;
    if (run.value != 0) visit(first, run);
    first += run.length;
    runs.remove_prefix(run.bytes);
  }
  return first == kHyperLogLogRegisters;
}

double Sigma(double x) {
  if (x == 1.0) return std::numeric_limits<double>::infinity();
  double y = 1;
  double sum = x;
  double before = 0;
  do {
    x *= x;
    before = sum;
    sum += x * y;
    y += y;
  } while (before != sum);
  return sum;
}

double Tau(double x) {
  if (x == 0.0 || x == 1.0) return 0.0;
  double y = 1.0;
  double sum = 1 - x;
  double before = 0;
  do {
    x = std::sqrt(x);
    before = sum;
    y *= 0.5;
    sum -= (1 - x) * (1 - x) * y;
  } while (before != sum);
  return sum / 3;
}

}  // namespace

HyperLogLogMark MarkOf(std::string_view element) {
  const uint64_t hash = HashElement(element);
  // A bit that ends the search also for a hash of zeros.
  const uint64_t rest = hash >> kPositionBits | uint64_t{1} << kRankBits;
  return {static_cast<uint32_t>(hash & (kHyperLogLogRegisters - 1)),
          static_cast<uint8_t>(std::countr_zero(rest) + 1)};
}

HyperLogLogForm FormOf(std::string_view value) {
  if (value.size() < kHyperLogLogHeaderBytes || !value.starts_with(kMagic)) {
    return HyperLogLogForm::kNone;
  }
  if (value[kFormAt] == 1) return HyperLogLogForm::kSparse;
  const bool is_dense = value[kFormAt] == 0 && value.size() == kHyperLogLogDenseBytes;
  return is_dense ? HyperLogLogForm::kDense : HyperLogLogForm::kNone;
}

std::optional<uint64_t> KeptEstimate(std::string_view value) {
  if ((ByteAt(value, kEstimateTop) & kOutOfDate) != 0) return std::nullopt;
  return ReadLittleEndian(value.data() + kEstimateAt, 8);
}

void KeepEstimate(char* value, uint64_t estimate) {
  for (size_t i = 0; i < 8; ++i) value[kEstimateAt + i] = static_cast<char>(estimate >> i * 8);
}

void DropEstimate(char* value) {
  value[kEstimateTop] = static_cast<char>(static_cast<uint8_t>(value[kEstimateTop]) | kOutOfDate);
}

void WriteHeader(char* value, HyperLogLogForm form) {
  std::memset(value, 0, kHyperLogLogHeaderBytes);
  std::copy(kMagic.begin(), kMagic.end(), value);
  SetForm(value, form);
}

void SetForm(char* value, HyperLogLogForm form) {
  value[kFormAt] = form == HyperLogLogForm::kSparse ? 1 : 0;
}

uint8_t DenseRegister(const char* registers, uint32_t position) {
  const uint32_t byte = position * 6 / 8;
  const uint32_t shift = position * 6 % 8;
  uint32_t bits = static_cast<uint8_t>(registers[byte]);
  if (shift > 2) bits |= static_cast<uint32_t>(static_cast<uint8_t>(registers[byte + 1])) << 8;
  return bits >> shift & 63;
}

void SetDenseRegister(char* registers, uint32_t position, uint8_t value) {
  const uint32_t byte = position * 6 / 8;
  const uint32_t shift = position * 6 % 8;
  const auto replace = [](char& target, uint32_t mask, uint32_t bits) {
    target = static_cast<char>((static_cast<uint8_t>(target) & ~mask) | bits);
  };
  const uint32_t mask = 63u << shift;
  const uint32_t bits = static_cast<uint32_t>(value & 63) << shift;
  replace(registers[byte], mask & 0xff, bits & 0xff);
  if (shift > 2) replace(registers[byte + 1], mask >> 8, bits >> 8);
}

SparseRun FirstRun(std::string_view runs) {
  const uint8_t first = ByteAt(runs, 0);
  if ((first & kValueRun) != 0) {
    return {static_cast<uint8_t>((first >> 2 & 31) + 1), 1, (first & 3u) + 1};
  }
  if ((first & kLongZeroRun) == 0) return {0, 1, (first & 63u) + 1};
  if (runs.size() < 2) return {};
  return {0, 2, ((first & 63u) << 8 | ByteAt(runs, 1)) + 1};
}

size_t WriteRun(char* to, uint8_t value, uint32_t length) {
  if (value != 0) {
    to[0] = static_cast<char>(kValueRun | (value - 1u) << 2 | (length - 1));
    return 1;
  }
  if (length <= kZeroLengthMax) {
    to[0] = static_cast<char>(length - 1);
    return 1;
  }
  to[0] = static_cast<char>(kLongZeroRun | (length - 1) >> 8);
  to[1] = static_cast<char>(length - 1);
  return 2;
}

bool MergeInto(std::string_view value, HyperLogLogArray& registers) {
  const std::string_view body = value.substr(kHyperLogLogHeaderBytes);
  if (FormOf(value) == HyperLogLogForm::kDense) {
    for (uint32_t i = 0; i < kHyperLogLogRegisters; ++i) {
      registers[i] = std::max(registers[i], DenseRegister(body.data(), i));
    }
    return true;
  }
  return VisitRuns(body, [&](uint32_t first, const SparseRun& run) {
    for (uint32_t i = first; i < first + run.length; ++i) {
      registers[i] = std::max(registers[i], run.value);
    }
  });
}

std::optional<HyperLogLogHistogram> HistogramOf(std::string_view value) {
  HyperLogLogHistogram histogram{};
  const std::string_view body = value.substr(kHyperLogLogHeaderBytes);
  if (FormOf(value) == HyperLogLogForm::kDense) {
    for (uint32_t i = 0; i < kHyperLogLogRegisters; ++i) ++histogram[DenseRegister(body.data(), i)];
    return histogram;
  }
  uint32_t zeros = kHyperLogLogRegisters;
  const bool is_sound = VisitRuns(body, [&](uint32_t, const SparseRun& run) {
    histogram[run.value] += run.length;
    zeros -= run.length;
  });
  if (!is_sound) return std::nullopt;
  histogram[0] = zeros;
  return histogram;
}

HyperLogLogHistogram HistogramOf(const HyperLogLogArray& registers) {
  HyperLogLogHistogram histogram{};
  for (const uint8_t value : registers) ++histogram[value & 63];
  return histogram;
}

uint64_t Estimate(const HyperLogLogHistogram& histogram) {
  constexpr double kAlpha = 0.721347520444481703680;  // 0.5 / ln 2
  constexpr double kCount = kHyperLogLogRegisters;
  double z = kCount * Tau((kCount - histogram[kRankBits + 1]) / kCount);
  for (uint32_t rank = kRankBits; rank >= 1; --rank) {
    z += histogram[rank];
    z *= 0.5;
  }
  z += kCount * Sigma(histogram[0] / kCount);
  return static_cast<uint64_t>(std::llround(kAlpha * kCount * kCount / z));
}

}  // namespace mikura::engine
