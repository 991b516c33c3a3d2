// SPDX-License-Identifier: Apache-2.0
// Commands that look for members within an area.
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/commands/command_families.h"
#include "engine/commands/geo_search.h"
#include "engine/commands/preparation.h"

namespace mikura::engine {
namespace {

void ReplyPoints(wire::RespWriter& reply, const GeoRequest& request,
                 const std::vector<GeoPoint>& points) {
  const size_t details = (request.with_distance ? 1u : 0u) + (request.with_score ? 1u : 0u) +
                         (request.with_position ? 1u : 0u);
  reply.Array(points.size());
  for (const GeoPoint& point : points) {
    if (details > 0) reply.Array(details + 1);
    reply.Bulk(point.element.member);
    if (request.with_distance) reply.Bulk(DistanceText(point.distance / request.unit));
    if (request.with_score) reply.Integer(static_cast<int64_t>(point.element.score));
    if (request.with_position) ReplyGeoPosition(reply, point.position);
  }
}

// What was found, as a sorted set: with distances or with the scores they have.
SortedSetValue SetOfPoints(const GeoRequest& request, const std::vector<GeoPoint>& points,
                           collections::NodeMemory& memory, const EncodingLimits& limits) {
  std::vector<ScoredMember> members;
  members.reserve(points.size());
  for (const GeoPoint& point : points) {
    members.push_back({point.element.member, request.stores_distance ? point.distance / request.unit
                                                                     : point.element.score});
  }
  return MakeSortedSet(memory, limits, std::move(members));
}

FaultOr<> StorePoints(CommandContext& ctx, GeoCommand command, const GeoRequest& request,
                      SortedSetValue points) {
  // One of the row's keys: so its shard is locked.
  const auto destination =
      std::find_if(ctx.key_list.begin(), ctx.key_list.end(),
                   [&](const Key& key) { return key.name == *request.destination; });
  CHECK(destination != ctx.key_list.end());
  return StoreSortedSet(ctx, *destination, std::move(points),
                        command == GeoCommand::kSearchStore ? "geosearchstore" : "georadiusstore");
}

// ---- A search over many members is done elsewhere.

bool IsLongSearch(const SortedSetView& set, const GeoRequest& request) {
  // To look at the cells beforehand pays only where there may be many.
  constexpr uint64_t kLargeSet = 16 * kComputedAtOnce;
  if (!set || set->size() < kLargeSet) return false;
  if (request.takes_any && request.count < kComputedAtOnce) return false;
  return GeoCandidates(*set, request) >= kComputedAtOnce;
}

class PointsReply final : public ReplyComputation {
 public:
  PointsReply(store::CollectionMemory& memory, const store::Found& found, GeoRequest request)
      : set_(memory, found), request_(std::move(request)) {}
  void Write(wire::RespWriter& reply) override {
    ReplyPoints(reply, request_, SearchGeo(*set_.As<SortedSetValue>(), request_));
  }

 private:
  const HeldValue set_;
  const GeoRequest request_;
};

struct StoredPoints final : Preparation {
  using Preparation::Preparation;
  void Compute() override {
    const auto points = SearchGeo(*held(0).As<SortedSetValue>(), request);
    result.emplace(SetOfPoints(request, points, *memory, *limits));
  }

  GeoRequest request;
  collections::NodeMemory* memory = nullptr;
  const EncodingLimits* limits = nullptr;
  std::optional<SortedSetValue> result;
};

FaultOr<> SearchAndStore(CommandContext& ctx, GeoCommand command, const SortedSetView& set,
                         const GeoRequest& request) {
  collections::NodeMemory& memory = ctx.keys.node_memory();
  const EncodingLimits& limits = ctx.services.encoding_limits;
  std::shared_ptr<StoredPoints> prepared;
  if (IsLongSearch(set, request)) {
    prepared = Prepare<StoredPoints>(ctx, [&](StoredPoints& next) {
      next.Hold(ctx, command == GeoCommand::kSearchStore ? 1 : 0);
      next.request = request;
      next.request.destination.reset();  // a view on words of this run
      next.memory = &memory;
      next.limits = &limits;
    });
    if (ctx.outcome == RunOutcome::kPreparing) return Ok();
  }
  if (prepared) return StorePoints(ctx, command, request, std::move(*prepared->result));
  const auto points = set ? SearchGeo(*set, request) : std::vector<GeoPoint>();
  return StorePoints(ctx, command, request, SetOfPoints(request, points, memory, limits));
}

FaultOr<> Search(CommandContext& ctx, GeoCommand command, bool may_store) {
  const Key& source = ctx.key_list[command == GeoCommand::kSearchStore ? 1 : 0];
  ASSIGN_OR_RETURN(const SortedSetView& set, ctx.keys.View<SortedSetValue>(source));
  ASSIGN_OR_RETURN(const std::optional<GeoRequest> request,
                   ParseGeoRequest(ctx, command, may_store, set));
  if (!request) return Ok();
  if (request->destination) return SearchAndStore(ctx, command, set, *request);
  if (MayReplyLater(ctx) && IsLongSearch(set, *request)) {
    constexpr uint64_t kBytesAtLeast = kComputedAtOnce * 16;
    ReplyFrom(ctx,
              std::make_shared<PointsReply>(CollectionMemoryOf(ctx.keys), ctx.keys.Peek(source),
                                            *request),
              kBytesAtLeast);
  } else {
    ReplyPoints(ctx.reply, *request, set ? SearchGeo(*set, *request) : std::vector<GeoPoint>());
  }
  return Ok();
}

// GEOSEARCH key FROMMEMBER member | FROMLONLAT longitude latitude
//   BYRADIUS radius unit | BYBOX width height unit | BYPOLYGON n longitude latitude ...
//   [ASC | DESC] [COUNT n [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH] -> members.
FaultOr<> GeoSearch(CommandContext& ctx) { return Search(ctx, GeoCommand::kSearch, false); }
FaultOr<> GeoSearchStore(CommandContext& ctx) {
  return Search(ctx, GeoCommand::kSearchStore, true);
}

// GEORADIUS key longitude latitude radius unit [...] [STORE key | STOREDIST key].
FaultOr<> GeoRadius(CommandContext& ctx) { return Search(ctx, GeoCommand::kRadius, true); }
FaultOr<> GeoRadiusRo(CommandContext& ctx) { return Search(ctx, GeoCommand::kRadius, false); }
FaultOr<> GeoRadiusByMember(CommandContext& ctx) {
  return Search(ctx, GeoCommand::kRadiusByMember, true);
}
FaultOr<> GeoRadiusByMemberRo(CommandContext& ctx) {
  return Search(ctx, GeoCommand::kRadiusByMember, false);
}

// The source, and every key behind STORE and STOREDIST: the last of them counts.
void FindRadiusKeys(std::span<const std::string_view> args, size_t first_option,
                    std::vector<KeyPlace>& places) {
  places.push_back({1, 0});
  constexpr std::string_view kWords[] = {"STORE", "STOREDIST"};
  for (uint32_t spec = 1; spec <= std::size(kWords); ++spec) {
    for (size_t i = first_option; i + 1 < args.size(); ++i) {
      if (!EqualsIgnoreCase(args[i], kWords[spec - 1])) continue;
      places.push_back({static_cast<uint32_t>(i + 1), spec});
    }
  }
}

void FindGeoRadiusKeys(std::span<const std::string_view> args, std::vector<KeyPlace>& places) {
  FindRadiusKeys(args, 6, places);
}
void FindGeoRadiusByMemberKeys(std::span<const std::string_view> args,
                               std::vector<KeyPlace>& places) {
  FindRadiusKeys(args, 5, places);
}

constexpr KeySpec StoredBehind(std::string_view keyword, int from) {
  return {.access = "OW update", .keyword = keyword, .keyword_from = from};
}
constexpr KeySpec kRadiusKeys[] = {KeysInRange("RO access", 1, 1), StoredBehind("STORE", 6),
                                   StoredBehind("STOREDIST", 6)};
constexpr KeySpec kRadiusByMemberKeys[] = {KeysInRange("RO access", 1, 1), StoredBehind("STORE", 5),
                                           StoredBehind("STOREDIST", 5)};

constexpr CommandSpec kGeoSearchCommands[] = {
    {.name = "GEOSEARCH",
     .handler = GeoSearch,
     .arity = AtLeast(7),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclGeo,
     .group = "geo",
     .since = "6.2.0",
     .summary = "Returns the members within a circle, a box or a polygon.",
     .key_access = "RO access"},
    {.name = "GEOSEARCHSTORE",
     .handler = GeoSearchStore,
     .arity = AtLeast(8),
     .keys = KeysFrom(1, 2, 1),
     .flags = kWrite | kDenyOom,
     .acl = kAclGeo,
     .group = "geo",
     .since = "6.2.0",
     .summary = "Stores the members within a circle, a box or a polygon.",
     .key_access = "OW update;RO access"},
    {.name = "GEORADIUS",
     .handler = GeoRadius,
     .arity = AtLeast(6),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom | kMovableKeys,
     .acl = kAclGeo,
     .group = "geo",
     .since = "3.2.0",
     .summary = "Returns or stores the members within a circle around a position.",
     .key_specs = kRadiusKeys,
     .find_keys = FindGeoRadiusKeys},
    {.name = "GEORADIUS_RO",
     .handler = GeoRadiusRo,
     .arity = AtLeast(6),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclGeo,
     .group = "geo",
     .since = "3.2.10",
     .summary = "Returns the members within a circle around a position.",
     .key_access = "RO access"},
    {.name = "GEORADIUSBYMEMBER",
     .handler = GeoRadiusByMember,
     .arity = AtLeast(5),
     .keys = OneKeyAt(1),
     .flags = kWrite | kDenyOom | kMovableKeys,
     .acl = kAclGeo,
     .group = "geo",
     .since = "3.2.0",
     .summary = "Returns or stores the members within a circle around a member.",
     .key_specs = kRadiusByMemberKeys,
     .find_keys = FindGeoRadiusByMemberKeys},
    {.name = "GEORADIUSBYMEMBER_RO",
     .handler = GeoRadiusByMemberRo,
     .arity = AtLeast(5),
     .keys = OneKeyAt(1),
     .flags = kReadOnly,
     .acl = kAclGeo,
     .group = "geo",
     .since = "3.2.10",
     .summary = "Returns the members within a circle around a member.",
     .key_access = "RO access"},
};

}  // namespace

std::span<const CommandSpec> GeoSearchCommands() { return kGeoSearchCommands; }

}  // namespace mikura::engine
