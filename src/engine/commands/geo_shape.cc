// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/geo_shape.h"

#include <algorithm>
#include <cmath>

namespace mikura::engine {
namespace {

// What a search must cover: its middle, how far it reaches from there in meters, and the degrees.
struct Extent {
  GeoPosition middle;
  double reach = 0;
  GeoBounds bounds;
};

// Bounds of a box around `middle`, by half its sides. It is widest at the edge nearer to a pole.
GeoBounds BoundsAround(const GeoPosition& middle, double half_width, double half_height) {
  const double up = Degrees(half_height / kEarthRadius);
  const double edge = middle.latitude < 0 ? middle.latitude - up : middle.latitude + up;
  const double aside = Degrees(half_width / kEarthRadius / std::cos(Radians(edge)));
  return {{middle.longitude - aside, middle.latitude - up},
          {middle.longitude + aside, middle.latitude + up}};
}

Extent ExtentOf(const GeoPosition& center, const GeoCircle& circle) {
  return {center, circle.radius, BoundsAround(center, circle.radius, circle.radius)};
}

Extent ExtentOf(const GeoPosition& center, const GeoBox& box) {
  const double half_width = box.width / 2;
  const double half_height = box.height / 2;
  return {center, std::sqrt(half_width * half_width + half_height * half_height),
          BoundsAround(center, half_width, half_height)};
}

Extent ExtentOf(const GeoPosition& /*center*/, const GeoPolygon& polygon) {
  Extent extent;
  extent.bounds = {polygon.vertices[0], polygon.vertices[0]};
  for (const GeoPosition& vertex : polygon.vertices) {
    extent.bounds.min.longitude = std::min(extent.bounds.min.longitude, vertex.longitude);
    extent.bounds.min.latitude = std::min(extent.bounds.min.latitude, vertex.latitude);
    extent.bounds.max.longitude = std::max(extent.bounds.max.longitude, vertex.longitude);
    extent.bounds.max.latitude = std::max(extent.bounds.max.latitude, vertex.latitude);
  }
  const GeoPosition& low = extent.bounds.min;
  const GeoPosition& high = extent.bounds.max;
  extent.middle = {(low.longitude + high.longitude) / 2, (low.latitude + high.latitude) / 2};
  for (const double latitude : {low.latitude, high.latitude}) {
    const GeoPosition corner{low.longitude, latitude};
    extent.reach = std::max(extent.reach, GeoDistance(extent.middle, corner));
  }
  return extent;
}

// The step of a grid whose cells are about as large as the reach: a cell and its neighbours cover
// it, except where cells are narrow, near the poles.
int StepFor(double reach, double latitude) {
  constexpr double kMapHalf = 20037726.37;  // meters from the middle to the edge
  if (reach == 0) return kGridStepMax;
  int step = 1;
  for (double range = reach; range < kMapHalf; range *= 2) ++step;
  step -= 2;
  if (std::fabs(latitude) > 66) --step;
  if (std::fabs(latitude) > 80) --step;
  return std::clamp(step, 1, kGridStepMax);
}

// Whether the cell and its neighbours leave out some of the bounds.
bool IsTooFine(const GeoCell& cell, const GeoBounds& bounds) {
  return cell.Neighbour(1, 0).Bounds().max.latitude < bounds.max.latitude ||
         cell.Neighbour(-1, 0).Bounds().min.latitude > bounds.min.latitude ||
         cell.Neighbour(0, 1).Bounds().max.longitude < bounds.max.longitude ||
         cell.Neighbour(0, -1).Bounds().min.longitude > bounds.min.longitude;
}

bool IsInside(const GeoPolygon& polygon, const GeoPosition& position) {
  // A line from the position to the east crosses the outline an odd number of times.
  bool is_inside = false;
  GeoPosition from = polygon.vertices.back();
  for (const GeoPosition& to : polygon.vertices) {
    if ((from.latitude > position.latitude) != (to.latitude > position.latitude)) {
      const double part = (position.latitude - from.latitude) / (to.latitude - from.latitude);
      const double crossing = from.longitude + part * (to.longitude - from.longitude);
      if (position.longitude < crossing) is_inside = !is_inside;
    }
    from = to;
  }
  return is_inside;
}

bool IsInside(const GeoBox& box, const GeoPosition& center, const GeoPosition& position) {
  const GeoPosition below{center.longitude, position.latitude};
  return GeoDistance(position, below) <= box.width / 2 &&
         GeoDistance(position, {position.longitude, center.latitude}) <= box.height / 2;
}

}  // namespace

std::optional<double> GeoShape::DistanceWithin(const GeoPosition& position) const {
  if (const auto* const circle = std::get_if<GeoCircle>(&area)) {
    const double distance = GeoDistance(center, position);
    if (distance > circle->radius) return std::nullopt;
    return distance;
  }
  const auto* const box = std::get_if<GeoBox>(&area);
  const bool is_inside = box != nullptr ? IsInside(*box, center, position)
                                        : IsInside(std::get<GeoPolygon>(area), position);
  if (!is_inside) return std::nullopt;
  return GeoDistance(center, position);
}

std::vector<GeoCell> CellsOver(const GeoShape& shape) {
  const Extent extent =
      std::visit([&](const auto& area) { return ExtentOf(shape.center, area); }, shape.area);
  GeoCell cell = CellOf(extent.middle, StepFor(extent.reach, extent.middle.latitude));
  if (cell.step > 1 && IsTooFine(cell, extent.bounds)) {
    cell = CellOf(extent.middle, cell.step - 1);
  }
  // Neighbours on a side that the shape does not reach.
  const GeoBounds own = cell.Bounds();
  const bool may_leave_out = cell.step >= 2;
  const bool no_south = may_leave_out && own.min.latitude < extent.bounds.min.latitude;
  const bool no_north = may_leave_out && own.max.latitude > extent.bounds.max.latitude;
  const bool no_west = may_leave_out && own.min.longitude < extent.bounds.min.longitude;
  const bool no_east = may_leave_out && own.max.longitude > extent.bounds.max.longitude;
  constexpr int kPlaces[][2] = {{0, 0}, {1, 0},  {-1, 0}, {0, 1},  {0, -1},
                                {1, 1}, {1, -1}, {-1, 1}, {-1, -1}};
  std::vector<GeoCell> cells;
  for (const auto& [rows, columns] : kPlaces) {
    if ((rows < 0 && no_south) || (rows > 0 && no_north)) continue;
    if ((columns < 0 && no_west) || (columns > 0 && no_east)) continue;
    const GeoCell neighbour = cell.Neighbour(rows, columns);
    // Where there are two rows or columns, both neighbours are the same.
    if (std::find(cells.begin(), cells.end(), neighbour) == cells.end()) cells.push_back(neighbour);
  }
  return cells;
}

GeoPosition MiddleOf(const GeoPolygon& polygon) {
  GeoPosition sum;
  for (const GeoPosition& vertex : polygon.vertices) {
    sum.longitude += vertex.longitude;
    sum.latitude += vertex.latitude;
  }
  const auto count = static_cast<double>(polygon.vertices.size());
  return {sum.longitude / count, sum.latitude / count};
}

}  // namespace mikura::engine
