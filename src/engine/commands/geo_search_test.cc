// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/geo_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <string>

#include "engine/commands/command_test_support.h"

namespace mikura::engine {
namespace {

class NoMemory final : public collections::NodeMemory {
 public:
  void Add(int64_t) override {}
};

TEST(GeoPosition, AScoreIsThePositionWithinOneCell) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> longitudes(-kLongitudeMax, kLongitudeMax);
  std::uniform_real_distribution<double> latitudes(-kLatitudeMax, kLatitudeMax);
  for (int i = 0; i < 10000; ++i) {
    const GeoPosition position{longitudes(random), latitudes(random)};
    const GeoPosition found = PositionOf(GeoScoreOf(position));
    ASSERT_NEAR(found.longitude, position.longitude, 360.0 / (1 << 26));
    ASSERT_NEAR(found.latitude, position.latitude, 171.0 / (1 << 26));
    ASSERT_EQ(GeoScoreOf(found), GeoScoreOf(position));
  }
}

TEST(GeoPosition, AnyNumberIsSomePosition) {
  for (const double score : {-1.0, 1e300, -1e300, HUGE_VAL, -HUGE_VAL, 0.5, 1.8446744073709552e19,
                             9.3e18, -9.3e18, 4503599627370496.0}) {
    const GeoPosition position = PositionOf(score);
    EXPECT_LE(std::fabs(position.longitude), kLongitudeMax) << score;
    EXPECT_LE(std::fabs(position.latitude), kLatitudeMax) << score;
    EXPECT_EQ(GeohashText(position).size(), 11u) << score;
  }
}

TEST(GeoPosition, DistancesAreShownWithFourDecimals) {
  EXPECT_EQ(DistanceText(0), "0.0000");
  EXPECT_EQ(DistanceText(1.23456), "1.2346");
  EXPECT_EQ(DistanceText(17565743.94075), "17565743.9408");  // a little below the half
  EXPECT_EQ(DistanceText(28049714.87445), "28049714.8744");  // the half goes to the even digit
}

TEST(GeoPosition, DistancesAreThoseOnASphere) {
  EXPECT_NEAR(GeoDistance({13.361389, 38.115556}, {15.087269, 37.502669}), 166274.26, 0.01);
  EXPECT_EQ(GeoDistance({1, 2}, {1, 2}), 0);
  const double half = kEarthRadius * 3.14159265358979323846;
  EXPECT_NEAR(GeoDistance({0, 0}, {180, 0}), half, 1);
  EXPECT_NEAR(GeoDistance({-90, 45}, {90, -45}), half, 1);
}

TEST(GeoCell, NeighboursGoAroundTheWorld) {
  const GeoCell cell = CellOf({179.9, 0}, 4);
  EXPECT_EQ(cell.column, 15u);
  EXPECT_EQ(cell.Neighbour(0, 1).column, 0u);
  EXPECT_EQ(cell.Neighbour(0, 1).Neighbour(0, -1), cell);
  EXPECT_LT(cell.FirstScore(), cell.EndScore());
}

// A random area away from the poles and from the edge of the map, where the cells around the
// center are known to cover it.
GeoShape RandomShape(std::mt19937& random) {
  const auto between = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  GeoShape shape;
  shape.center = {between(-60, 60), between(-40, 40)};
  const double size = std::pow(10, between(2, 5.7));
  switch (random() % 3) {
    case 0:
      shape.area = GeoCircle{size};
      break;
    case 1:
      shape.area = GeoBox{size * between(0.1, 2), size * between(0.1, 2)};
      break;
    default: {
      GeoPolygon polygon;
      const double degrees = size / 111000;
      for (uint32_t i = 0; i < 3 + random() % 6; ++i) {
        polygon.vertices.push_back({shape.center.longitude + between(-degrees, degrees),
                                    shape.center.latitude + between(-degrees, degrees)});
      }
      shape.center = MiddleOf(polygon);
      shape.area = polygon;
    }
  }
  return shape;
}

TEST(SearchGeo, FindsWhatLiesWithinAndNothingElse) {
  NoMemory memory;
  std::mt19937 random(3);
  uint64_t found_in_all = 0;
  for (int round = 0; round < 120; ++round) {
    const GeoShape shape = RandomShape(random);
    SortedSetValue set(memory);
    std::set<std::string> wanted;
    for (int i = 0; i < 200; ++i) {
      std::normal_distribution<double> near(0, std::pow(10, std::fmod(i, 5) - 3));
      const GeoPosition position{shape.center.longitude + near(random),
                                 shape.center.latitude + near(random) / 2};
      if (std::fabs(position.latitude) > kLatitudeMax) continue;
      const double score = GeoScoreOf(position);
      const std::string member = std::to_string(i);
      set.Set(member, score);
      if (shape.DistanceWithin(PositionOf(score))) wanted.insert(member);
    }
    std::set<std::string> found;
    for (const GeoPoint& point : SearchGeo(set, {.shape = shape})) {
      EXPECT_TRUE(found.emplace(point.element.member).second);
    }
    ASSERT_EQ(found, wanted) << round;
    found_in_all += found.size();
  }
  EXPECT_GT(found_in_all, 2000u);
}

TEST(GeoEffects, AreScoresAndStoresAsTheyCame) {
  CommandRunner runner;
  const auto of = [&](std::string_view line) {
    runner.Run(line);
    return runner.effects();
  };
  EXPECT_EQ(of("GEOADD g 13.361389 38.115556 P"), "ZADD g 3479099956230698 P");
  EXPECT_EQ(of("GEOADD g NX 1 1 P"), "");
  EXPECT_EQ(of("GEOSEARCH g FROMLONLAT 13 38 BYRADIUS 100 km"), "");
  EXPECT_EQ(of("GEORADIUS g 13 38 100 km STORE d"), "GEORADIUS g 13 38 100 km STORE d");
  EXPECT_EQ(of("GEORADIUS g 13 38 1 m STORE d"), "DEL d");
  EXPECT_EQ(of("GEOSEARCHSTORE d g FROMMEMBER P BYBOX 1 1 m"),
            "GEOSEARCHSTORE d g FROMMEMBER P BYBOX 1 1 m");
}

}  // namespace
}  // namespace mikura::engine
