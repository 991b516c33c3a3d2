// SPDX-License-Identifier: Apache-2.0
// GEOSEARCH and its older forms: what is asked for, and what is found.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/commands/geo_shape.h"
#include "engine/commands/sorted_set_support.h"

namespace mikura::engine {

// Which words a command takes.
enum class GeoCommand : uint8_t {
  kRadius,          // GEORADIUS key longitude latitude radius unit ...
  kRadiusByMember,  // GEORADIUSBYMEMBER key member radius unit ...
  kSearch,          // GEOSEARCH key ...
  kSearchStore,     // GEOSEARCHSTORE destination key ...
};

struct GeoRequest {
  enum class Order : uint8_t { kNone, kNearestFirst, kFarthestFirst };

  GeoShape shape;
  double unit = 1;  // meters in what distances are given in
  Order order = Order::kNone;
  uint64_t count = 0;  // 0: all
  bool takes_any = false;
  bool with_distance = false;
  bool with_score = false;
  bool with_position = false;
  std::optional<std::string_view> destination;
  bool stores_distance = false;
};

// Parses the words of the row; `set` is the source, absent perhaps. nullopt after an error reply.
FaultOr<std::optional<GeoRequest>> ParseGeoRequest(CommandContext& ctx, GeoCommand command,
                                                   bool may_store, const SortedSetView& set);

// Meters in a unit. Nothing: an unknown one.
std::optional<double> GeoUnit(std::string_view text);
inline constexpr std::string_view kUnknownUnit =
    "unsupported unit provided. please use M, KM, FT, MI";

// A position from two words. nullopt after an error reply.
FaultOr<std::optional<GeoPosition>> ParseGeoPosition(CommandContext& ctx,
                                                     std::string_view longitude,
                                                     std::string_view latitude);

void ReplyGeoPosition(wire::RespWriter& reply, const GeoPosition& position);

struct GeoPoint {
  ScoredMember element;
  GeoPosition position;
  double distance = 0;  // meters
};

// Members that a search looks at, at most. Cost: O(log n).
uint64_t GeoCandidates(const SortedSetValue& set, const GeoRequest& request);

// What lies within the shape, in the order and number that are asked for. Cost: O(log n) and the
// members of the cells around the shape.
std::vector<GeoPoint> SearchGeo(const SortedSetValue& set, const GeoRequest& request);

}  // namespace mikura::engine
