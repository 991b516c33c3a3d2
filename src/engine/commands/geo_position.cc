// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/geo_position.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mikura::engine {
namespace {

constexpr int kScoreBits = 2 * kGridStepMax;

struct Span {
  double min;
  double max;

  // Where `value` is in the span, in parts of it.
  double Part(double value) const { return (value - min) / (max - min); }
  double At(double part) const { return min + part * (max - min); }
};
constexpr Span kLongitudes{-kLongitudeMax, kLongitudeMax};
constexpr Span kLatitudes{-kLatitudeMax, kLatitudeMax};
constexpr Span kAllLatitudes{-90, 90};

// Bit n of the result's even bits is bit n of `value`.
uint64_t SpreadBits(uint32_t value) {
  uint64_t bits = 0;
  for (int i = 0; i < 32; ++i) bits |= static_cast<uint64_t>(value >> i & 1) << (2 * i);
  return bits;
}

uint32_t GatherBits(uint64_t bits) {
  uint32_t value = 0;
  for (int i = 0; i < 32; ++i) value |= static_cast<uint32_t>(bits >> (2 * i) & 1) << i;
  return value;
}

uint64_t Interleave(uint32_t row, uint32_t column) {
  return SpreadBits(row) | SpreadBits(column) << 1;
}

double CellsAcross(int step) { return static_cast<double>(uint64_t{1} << step); }

uint32_t IndexOf(const Span& span, double value, int step) {
  return static_cast<uint32_t>(span.Part(value) * CellsAcross(step));
}

double EdgeOf(const Span& span, uint64_t index, int step) {
  return span.At(static_cast<double>(index) / CellsAcross(step));
}

// The number that a score is, whatever it is: a conversion of what does not fit is undefined, so
// this is what x86 makes of it.
uint64_t WholeNumber(double score) {
  constexpr double kHalf = 9223372036854775808.0;  // 2 ^ 63
  if (score >= -kHalf && score < kHalf) {
    return static_cast<uint64_t>(static_cast<int64_t>(score));
  }
  if (score >= kHalf && score < 2 * kHalf) return static_cast<uint64_t>(score);
  return score < 0 ? uint64_t{1} << 63 : 0;
}

}  // namespace

GeoCell GeoCell::Neighbour(int rows, int columns) const {
  const auto mask = static_cast<uint32_t>((uint64_t{1} << step) - 1);
  GeoCell cell = *this;
  if (rows != 0) cell.row = (row + static_cast<uint32_t>(rows)) & mask;
  if (columns != 0) cell.column = (column + static_cast<uint32_t>(columns)) & mask;
  return cell;
}

GeoBounds GeoCell::Bounds() const {
  return {{EdgeOf(kLongitudes, column, step), EdgeOf(kLatitudes, row, step)},
          {EdgeOf(kLongitudes, uint64_t{column} + 1, step),
           EdgeOf(kLatitudes, uint64_t{row} + 1, step)}};
}

double GeoCell::FirstScore() const {
  return static_cast<double>(Interleave(row, column) << (kScoreBits - 2 * step));
}

double GeoCell::EndScore() const {
  return static_cast<double>((Interleave(row, column) + 1) << (kScoreBits - 2 * step));
}

GeoCell CellOf(const GeoPosition& position, int step) {
  return {step, IndexOf(kLatitudes, position.latitude, step),
          IndexOf(kLongitudes, position.longitude, step)};
}

double GeoScoreOf(const GeoPosition& position) {
  return CellOf(position, kGridStepMax).FirstScore();
}

GeoPosition PositionOf(double score) {
  const uint64_t bits = WholeNumber(score);
  const GeoBounds bounds = GeoCell{kGridStepMax, GatherBits(bits), GatherBits(bits >> 1)}.Bounds();
  const double longitude = (bounds.min.longitude + bounds.max.longitude) / 2;
  const double latitude = (bounds.min.latitude + bounds.max.latitude) / 2;
  return {std::clamp(longitude, -kLongitudeMax, kLongitudeMax),
          std::clamp(latitude, -kLatitudeMax, kLatitudeMax)};
}

std::string GeohashText(const GeoPosition& position) {
  constexpr char kLetters[] = "0123456789bcdefghjkmnpqrstuvwxyz";
  const uint64_t bits = Interleave(IndexOf(kAllLatitudes, position.latitude, kGridStepMax),
                                   IndexOf(kLongitudes, position.longitude, kGridStepMax));
  std::string text;
  for (int end = kScoreBits - 5; end >= 0; end -= 5) text.push_back(kLetters[bits >> end & 31]);
  text.push_back(kLetters[0]);  // the two bits that are left are not shown
  return text;
}

std::string DistanceText(double distance) {
  constexpr int64_t kScale = 10'000;
  // A half goes to the even digit, as in Redis. Never above half the earth, in feet.
  const int64_t scaled = std::llrint(distance * kScale);
  return fmt::format("{}.{:04}", scaled / kScale, scaled % kScale);
}

double GeoDistance(const GeoPosition& a, const GeoPosition& b) {
  const double latitude_a = Radians(a.latitude);
  const double latitude_b = Radians(b.latitude);
  const double u = std::sin((latitude_b - latitude_a) / 2);
  const double v = std::sin((Radians(b.longitude) - Radians(a.longitude)) / 2);
  const double square = u * u + std::cos(latitude_a) * std::cos(latitude_b) * v * v;
  return 2.0 * kEarthRadius * std::asin(std::sqrt(std::min(square, 1.0)));
}

}  // namespace mikura::engine
