// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/geo_search.h"

#include <algorithm>

#include "engine/commands/sorted_set_range.h"

namespace mikura::engine {
namespace {

RankRange RangeOf(const SortedSetValue& set, const GeoCell& cell) {
  return RangeOf(set,
                 ScoreBounds{.min = {.score = cell.FirstScore()}, .max = {cell.EndScore(), true}});
}

// Adds what lies within the shape; false when there are enough.
bool AddCell(const SortedSetValue& set, const GeoShape& shape, const GeoCell& cell, uint64_t enough,
             std::vector<GeoPoint>& points) {
  const RankRange range = RangeOf(set, cell);
  set.VisitRange(range.first, range.count, false, [&](const ScoredMember& element) {
    const GeoPosition position = PositionOf(element.score);
    if (const std::optional<double> distance = shape.DistanceWithin(position)) {
      points.push_back({element, position, *distance});
    }
    return enough == 0 || points.size() < enough;
  });
  return enough == 0 || points.size() < enough;
}

}  // namespace

uint64_t GeoCandidates(const SortedSetValue& set, const GeoRequest& request) {
  uint64_t candidates = 0;
  for (const GeoCell& cell : CellsOver(request.shape)) candidates += RangeOf(set, cell).count;
  return candidates;
}

std::vector<GeoPoint> SearchGeo(const SortedSetValue& set, const GeoRequest& request) {
  const uint64_t enough = request.takes_any ? request.count : 0;
  std::vector<GeoPoint> points;
  for (const GeoCell& cell : CellsOver(request.shape)) {
    if (!AddCell(set, request.shape, cell, enough, points)) break;
  }
  GeoRequest::Order order = request.order;
  // Those that a number picks are the nearest, unless any will do.
  if (order == GeoRequest::Order::kNone && request.count > 0 && !request.takes_any) {
    order = GeoRequest::Order::kNearestFirst;
  }
  if (order == GeoRequest::Order::kNearestFirst) {
    std::stable_sort(points.begin(), points.end(),
                     [](const GeoPoint& a, const GeoPoint& b) { return a.distance < b.distance; });
  } else if (order == GeoRequest::Order::kFarthestFirst) {
    std::stable_sort(points.begin(), points.end(),
                     [](const GeoPoint& a, const GeoPoint& b) { return a.distance > b.distance; });
  }
  if (request.count > 0 && points.size() > request.count) {
    points.resize(static_cast<size_t>(request.count));
  }
  return points;
}

}  // namespace mikura::engine
