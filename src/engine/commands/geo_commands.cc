// SPDX-License-Identifier: Apache-2.0
// Commands that store positions, and ask for those of members that they name.
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/geo_search.h"
#include "engine/commands/sorted_set_add.h"

namespace mikura::engine {
namespace {

bool TakeOption(std::string_view word, AddOptions& options) {
  if (EqualsIgnoreCase(word, "NX")) {
    options.only_new = true;
  } else if (EqualsIgnoreCase(word, "XX")) {
    options.only_existing = true;
  } else if (EqualsIgnoreCase(word, "CH")) {
    options.counts_changed = true;
  } else {
    return false;
  }
  return true;
}

// GEOADD key [NX | XX] [CH] longitude latitude member ... -> the number of new members, or with CH
// of changed ones. Cost: O(log n) for each.
FaultOr<> GeoAdd(CommandContext& ctx) {
  AddOptions options;
  size_t first = 2;
  while (first < ctx.args.size() && TakeOption(ctx.args[first], options)) ++first;
  const std::span<const std::string_view> words = ctx.args.subspan(first);
  if (words.empty() || words.size() % 3 != 0) return Fault::kSyntax;
  if (options.only_new && options.only_existing) return Fault::kSyntax;
  std::vector<ScoredMember> pairs;
  pairs.reserve(words.size() / 3);
  for (size_t i = 0; i < words.size(); i += 3) {
    ASSIGN_OR_RETURN(const std::optional<GeoPosition> position,
                     ParseGeoPosition(ctx, words[i], words[i + 1]));
    if (!position) return Ok();
    pairs.push_back({words[i + 2], GeoScoreOf(*position)});
  }
  return AddScores(ctx, options, pairs);
}

std::optional<GeoPosition> Find(const SortedSetView& set, std::string_view member) {
  const std::optional<double> score = set ? set->ScoreOf(member) : std::nullopt;
  if (!score) return std::nullopt;
  return PositionOf(*score);
}

// GEODIST key member member [unit] -> the distance, or null when a member is absent.
FaultOr<> GeoDist(CommandContext& ctx) {
  if (ctx.args.size() > 5) return Fault::kSyntax;
  const std::optional<double> unit = ctx.args.size() == 5 ? GeoUnit(ctx.args[4]) : 1;
  if (!unit) {
    ctx.reply.Error("ERR", kUnknownUnit);
    return Ok();
  }
  ASSIGN_OR_RETURN(const SortedSetView& set, ctx.keys.View<SortedSetValue>(ctx.key_list[0]));
  const std::optional<GeoPosition> from = Find(set, ctx.args[2]);
  const std::optional<GeoPosition> to = Find(set, ctx.args[3]);
  if (from && to) {
    ctx.reply.Bulk(DistanceText(GeoDistance(*from, *to) / *unit));
  } else {
    ctx.reply.Null();
  }
  return Ok();
}

// GEOHASH key member ... -> for each the geohash, or null.
FaultOr<> GeoHash(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const SortedSetView& set, ctx.keys.View<SortedSetValue>(ctx.key_list[0]));
  ctx.reply.Array(ctx.args.size() - 2);
  for (const std::string_view member : ctx.args.subspan(2)) {
    if (const std::optional<GeoPosition> position = Find(set, member)) {
      ctx.reply.Bulk(GeohashText(*position));
    } else {
      ctx.reply.Null();
    }
  }
  return Ok();
}

// GEOPOS key member ... -> for each longitude and latitude, or null.
FaultOr<> GeoPos(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const SortedSetView& set, ctx.keys.View<SortedSetValue>(ctx.key_list[0]));
  ctx.reply.Array(ctx.args.size() - 2);
  for (const std::string_view member : ctx.args.subspan(2)) {
    if (const std::optional<GeoPosition> position = Find(set, member)) {
      ReplyGeoPosition(ctx.reply, *position);
    } else {
      ctx.reply.NullArray();
    }
  }
  return Ok();
}

constexpr CommandSpec kGeoCommands[] = {
    {.name = "GEOADD",
     .handler = GeoAdd,
     .arity = AtLeast(5),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom,
     .acl = kAclGeo,
     .group = "geo",
     .since = "3.2.0",
     .summary = "Stores positions of members.",
     .key_access = "RW update"},
    {.name = "GEODIST",
     .handler = GeoDist,
     .arity = AtLeast(4),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclGeo,
     .group = "geo",
     .since = "3.2.0",
     .summary = "Returns the distance between two members.",
     .key_access = "RO access"},
    {.name = "GEOHASH",
     .handler = GeoHash,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclGeo,
     .group = "geo",
     .since = "3.2.0",
     .summary = "Returns positions as geohash texts.",
     .key_access = "RO access"},
    {.name = "GEOPOS",
     .handler = GeoPos,
     .arity = AtLeast(2),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclGeo,
     .group = "geo",
     .since = "3.2.0",
     .summary = "Returns longitude and latitude of members.",
     .key_access = "RO access"},
};

}  // namespace

std::span<const CommandSpec> GeoCommands() { return kGeoCommands; }

}  // namespace mikura::engine
