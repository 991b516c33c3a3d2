// SPDX-License-Identifier: Apache-2.0
// The words of GEOSEARCH and its older forms.
#include <fmt/format.h>

#include <string>
#include <utility>

#include "engine/commands/geo_search.h"

namespace mikura::engine {
namespace {

// One command's words, taken one after another. Functions that return a bool: false after an error
// reply.
class Parser {
 public:
  Parser(CommandContext& ctx, GeoCommand command, bool may_store, const SortedSetView& set)
      : ctx_(ctx),
        command_(command),
        may_store_(may_store && !is_search()),
        set_(set),
        words_(ctx.args.subspan(command == GeoCommand::kSearchStore ? 3 : 2)) {
    if (command == GeoCommand::kSearchStore) request_.destination = ctx.args[1];
  }

  FaultOr<std::optional<GeoRequest>> Parse() {
    if (!is_search()) {
      ASSIGN_OR_RETURN(const bool is_valid, TakeCircleFirst());
      if (!is_valid) return std::optional<GeoRequest>();
    }
    while (!words_.empty()) {
      ASSIGN_OR_RETURN(const bool is_valid, TakeOption());
      if (!is_valid) return std::optional<GeoRequest>();
    }
    if (!IsComplete()) return std::optional<GeoRequest>();
    if (auto* const polygon = std::get_if<GeoPolygon>(&request_.shape.area)) {
      request_.shape.center = MiddleOf(*polygon);
    }
    return std::optional<GeoRequest>(std::move(request_));
  }

 private:
  bool is_search() const {
    return command_ == GeoCommand::kSearch || command_ == GeoCommand::kSearchStore;
  }
  bool Is(std::string_view name) const { return EqualsIgnoreCase(words_[0], name); }
  bool Has(size_t more) const { return words_.size() > more; }
  void Skip(size_t words) { words_ = words_.subspan(words); }
  bool Complain(std::string_view message) {
    ctx_.reply.Error("ERR", message);
    return false;
  }

  // GEORADIUS and GEORADIUSBYMEMBER: center and radius are the first words.
  FaultOr<bool> TakeCircleFirst() {
    bool is_valid = true;
    if (command_ == GeoCommand::kRadius) {
      ASSIGN_OR_RETURN(is_valid, TakePosition());
    } else if (!set_) {
      Skip(3);  // there is nothing to be found; what follows is checked nevertheless
      return true;
    } else {
      is_valid = TakeMember();
    }
    return is_valid && TakeCircle();
  }

  FaultOr<bool> TakeOption() {
    if (TakeFlag()) return true;
    if (Is("COUNT") && Has(1)) return TakeCount();
    if (may_store_ && Has(1) && (Is("STORE") || Is("STOREDIST"))) {
      request_.stores_distance = Is("STOREDIST");
      request_.destination = words_[1];
      Skip(2);
      return true;
    }
    if (command_ == GeoCommand::kSearchStore && Is("STOREDIST")) {
      request_.stores_distance = true;
      Skip(1);
      return true;
    }
    if (is_search()) return TakeSearchOption();
    return Fault::kSyntax;
  }

  bool TakeFlag() {
    if (Is("WITHDIST")) {
      request_.with_distance = true;
    } else if (Is("WITHHASH")) {
      request_.with_score = true;
    } else if (Is("WITHCOORD")) {
      request_.with_position = true;
    } else if (Is("ANY")) {
      request_.takes_any = true;
    } else if (Is("ASC")) {
      request_.order = GeoRequest::Order::kNearestFirst;
    } else if (Is("DESC")) {
      request_.order = GeoRequest::Order::kFarthestFirst;
    } else {
      return false;
    }
    Skip(1);
    return true;
  }

  FaultOr<bool> TakeCount() {
    ASSIGN_OR_RETURN(const int64_t count, ToInteger(words_[1]));
    if (count <= 0) return Complain("COUNT must be > 0");
    request_.count = static_cast<uint64_t>(count);
    Skip(2);
    return true;
  }

  FaultOr<bool> TakeSearchOption() {
    const bool may_be_polygon = !from_member_ && !from_position_ && !by_radius_ && !by_box_;
    if (Is("FROMMEMBER") && Has(1) && !from_position_ && !by_polygon_) {
      from_member_ = true;
      Skip(1);
      return TakeMember();
    }
    if (Is("FROMLONLAT") && Has(2) && !from_member_ && !by_polygon_) {
      from_position_ = true;
      Skip(1);
      return TakePosition();
    }
    if (Is("BYRADIUS") && Has(2) && !by_box_ && !by_polygon_) {
      by_radius_ = true;
      Skip(1);
      return TakeCircle();
    }
    if (Is("BYBOX") && Has(3) && !by_radius_ && !by_polygon_) {
      by_box_ = true;
      Skip(1);
      return TakeBox();
    }
    if (Is("BYPOLYGON") && Has(1) && may_be_polygon) {
      by_polygon_ = true;
      return TakePolygon();
    }
    return Fault::kSyntax;
  }

  // Without a set, nothing is looked up: the reply will be empty.
  bool TakeMember() {
    const std::string_view member = words_[0];
    Skip(1);
    if (!set_) return true;
    const std::optional<double> score = set_->ScoreOf(member);
    if (!score) return Complain("could not decode requested zset member");
    request_.shape.center = PositionOf(*score);
    return true;
  }

  FaultOr<bool> TakePosition() {
    ASSIGN_OR_RETURN(const std::optional<GeoPosition> position,
                     ParseGeoPosition(ctx_, words_[0], words_[1]));
    if (!position) return false;
    request_.shape.center = *position;
    Skip(2);
    return true;
  }

  // A length that is no number has its own words in each place; one below 0 is left to the caller.
  std::optional<double> TakeLength(std::string_view complaint) {
    const std::optional<double> length = ParseDouble(words_[0]);
    if (!length) Complain(complaint);
    Skip(1);
    return length;
  }

  bool TakeUnit() {
    const std::optional<double> unit = GeoUnit(words_[0]);
    Skip(1);
    if (!unit) return Complain(kUnknownUnit);
    request_.unit = *unit;
    return true;
  }

  bool TakeCircle() {
    const std::optional<double> radius = TakeLength("need numeric radius");
    if (!radius) return false;
    if (*radius < 0) return Complain("radius cannot be negative");
    if (!TakeUnit()) return false;
    request_.shape.area = GeoCircle{*radius * request_.unit};
    return true;
  }

  bool TakeBox() {
    const std::optional<double> width = TakeLength("need numeric width");
    if (!width) return false;
    const std::optional<double> height = TakeLength("need numeric height");
    if (!height) return false;
    if (*width < 0 || *height < 0) return Complain("height or width cannot be negative");
    if (!TakeUnit()) return false;
    request_.shape.area = GeoBox{*width * request_.unit, *height * request_.unit};
    return true;
  }

  // BYPOLYGON number longitude latitude ...: distances are in meters.
  FaultOr<bool> TakePolygon() {
    ASSIGN_OR_RETURN(const int64_t number, ToInteger(words_[1]));
    if (number < 3) return Complain("a polygon has at least 3 vertices");
    Skip(2);
    if (static_cast<uint64_t>(number) > words_.size() / 2) return Fault::kSyntax;
    GeoPolygon polygon;
    for (int64_t i = 0; i < number; ++i) {
      ASSIGN_OR_RETURN(const std::optional<GeoPosition> vertex,
                       ParseGeoPosition(ctx_, words_[0], words_[1]));
      if (!vertex) return false;
      polygon.vertices.push_back(*vertex);
      Skip(2);
    }
    request_.shape.area = std::move(polygon);
    return true;
  }

  // What the words must say together.
  bool IsComplete() {
    const bool replies_details =
        request_.with_distance || request_.with_score || request_.with_position;
    if (request_.destination && replies_details) {
      return Complain(std::string(is_search() ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS") +
                      " is not compatible with WITHDIST, WITHHASH and WITHCOORD options");
    }
    const std::string name(ctx_.args[0]);
    if (is_search() && !from_member_ && !from_position_ && !by_polygon_) {
      return Complain("exactly one of FROMMEMBER or FROMLONLAT can be specified for " + name);
    }
    if (is_search() && !by_radius_ && !by_box_ && !by_polygon_) {
      return Complain("exactly one of BYRADIUS and BYBOX can be specified for " + name);
    }
    if (request_.takes_any && request_.count == 0) {
      return Complain("the ANY argument requires COUNT argument");
    }
    return true;
  }

  CommandContext& ctx_;
  const GeoCommand command_;
  const bool may_store_;
  const SortedSetView& set_;
  std::span<const std::string_view> words_;
  GeoRequest request_;
  bool from_member_ = false;
  bool from_position_ = false;
  bool by_radius_ = false;
  bool by_box_ = false;
  bool by_polygon_ = false;
};

}  // namespace

std::optional<double> GeoUnit(std::string_view text) {
  if (EqualsIgnoreCase(text, "m")) return 1;
  if (EqualsIgnoreCase(text, "km")) return 1000;
  if (EqualsIgnoreCase(text, "ft")) return 0.3048;
  if (EqualsIgnoreCase(text, "mi")) return 1609.34;
  return std::nullopt;
}

FaultOr<std::optional<GeoPosition>> ParseGeoPosition(CommandContext& ctx,
                                                     std::string_view longitude,
                                                     std::string_view latitude) {
  GeoPosition position;
  ASSIGN_OR_RETURN(position.longitude, ToScore(longitude));
  ASSIGN_OR_RETURN(position.latitude, ToScore(latitude));
  const bool is_valid = position.longitude >= -kLongitudeMax &&
                        position.longitude <= kLongitudeMax && position.latitude >= -kLatitudeMax &&
                        position.latitude <= kLatitudeMax;
  if (is_valid) return std::optional<GeoPosition>(position);
  ctx.reply.Error("ERR", fmt::format("invalid longitude,latitude pair {:.6f},{:.6f}",
                                     position.longitude, position.latitude));
  return std::optional<GeoPosition>();
}

void ReplyGeoPosition(wire::RespWriter& reply, const GeoPosition& position) {
  reply.Array(2);
  reply.DoubleText(FormatDouble(position.longitude));
  reply.DoubleText(FormatDouble(position.latitude));
}

FaultOr<std::optional<GeoRequest>> ParseGeoRequest(CommandContext& ctx, GeoCommand command,
                                                   bool may_store, const SortedSetView& set) {
  return Parser(ctx, command, may_store, set).Parse();
}

}  // namespace mikura::engine
