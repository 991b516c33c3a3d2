// SPDX-License-Identifier: Apache-2.0
// Positions on earth, and the 52-bit numbers that stand for them as scores of sorted sets.
//
// A number interleaves the bits of a row (latitude, even bits) and of a column (longitude, odd
// bits) of a grid with 2^26 of each. Its first 2n bits name the cell, of a grid with 2^n rows and
// columns, in which a position lies: numbers of one cell are neighbours in a sorted set.
#pragma once

#include <cstdint>
#include <string>

namespace mikura::engine {

// Beyond this latitude a square map of the world has no place for the poles.
inline constexpr double kLatitudeMax = 85.05112878;
inline constexpr double kLongitudeMax = 180;
inline constexpr double kEarthRadius = 6372797.560856;  // meters
inline constexpr int kGridStepMax = 26;

struct GeoPosition {
  double longitude = 0;
  double latitude = 0;
};

struct GeoBounds {
  GeoPosition min;
  GeoPosition max;
};

// A cell of the grid with 2^step rows and columns.
struct GeoCell {
  int step = 0;
  uint32_t row = 0;
  uint32_t column = 0;

  friend bool operator==(const GeoCell&, const GeoCell&) = default;

  // The cell `rows` up and `columns` to the right, around the world.
  GeoCell Neighbour(int rows, int columns) const;
  GeoBounds Bounds() const;
  // The scores of positions in it: [first, end).
  double FirstScore() const;
  double EndScore() const;
};

// The cell of a position within the limits above.
GeoCell CellOf(const GeoPosition& position, int step);

// The score of a position; and the middle of what a score stands for, which any number may be
// asked for.
double GeoScoreOf(const GeoPosition& position);
GeoPosition PositionOf(double score);

// The eleven letters of the geohash that other systems know, which divides all latitudes.
std::string GeohashText(const GeoPosition& position);

// Meters along the surface.
double GeoDistance(const GeoPosition& a, const GeoPosition& b);

constexpr double kDegreesToRadians = 3.14159265358979323846 / 180.0;
// With four decimals, halves away from zero as they are after scaling: as Redis shows distances.
std::string DistanceText(double distance);

inline double Radians(double degrees) { return degrees * kDegreesToRadians; }
inline double Degrees(double radians) { return radians / kDegreesToRadians; }

}  // namespace mikura::engine
