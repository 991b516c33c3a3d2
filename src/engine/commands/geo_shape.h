// SPDX-License-Identifier: Apache-2.0
// An area on earth that is searched: a circle, a box along the axes, or a polygon.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "engine/commands/geo_position.h"

namespace mikura::engine {

// Lengths in meters.
struct GeoCircle {
  double radius = 0;
};
struct GeoBox {
  double width = 0;
  double height = 0;
};
struct GeoPolygon {
  std::vector<GeoPosition> vertices;  // at least three
};

struct GeoShape {
  GeoPosition center;  // distances are from here
  std::variant<GeoCircle, GeoBox, GeoPolygon> area;

  // The distance from the center when the position lies inside.
  std::optional<double> DistanceWithin(const GeoPosition& position) const;
};

// Cells that cover the shape, each once, in the order in which Redis visits them: that of the
// center first. At most nine.
std::vector<GeoCell> CellsOver(const GeoShape& shape);

// The middle of the vertices.
GeoPosition MiddleOf(const GeoPolygon& polygon);

}  // namespace mikura::engine
