// SPDX-License-Identifier: Apache-2.0
// XCLAIM and XAUTOCLAIM: pending entries of one consumer become those of another.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "engine/commands/command_families.h"
#include "engine/commands/stream_support.h"

namespace mikura::engine {
namespace {

// How entries are claimed.
struct Claim {
  int64_t idle_min = 0;
  UnixMillis delivered_at = 0;
  std::optional<uint64_t> deliveries;  // instead of one more
  bool is_forced = false;              // also what is pending for nobody
  bool ids_only = false;               // the reply; and deliveries are not counted
};

// Claims for one consumer, which comes into being with the first entry.
class Claimer {
 public:
  // All outlive it.
  Claimer(CommandContext& ctx, const Key& key, StreamValue& stream, StreamGroup& group,
          std::string_view consumer, const Claim& claim)
      : ctx_(ctx),
        key_(key),
        stream_(stream),
        group_(group),
        consumer_(consumer),
        claim_(claim),
        effects_(ctx.keys, key, group) {}

  bool IsIdle(const PendingEntry& entry) const {
    return claim_.idle_min == 0 || ctx_.now() - entry.delivered_at >= claim_.idle_min;
  }
  // The entry with the id, when it is there, and pending or forced to be.
  void TakeId(StreamId id);
  void Take(PendingEntry entry);
  // The entry itself is gone: so is what is pending of it.
  void Forget(StreamId id);
  // Tells replicas.
  void Finish() {
    effects_.Flush();
    AddIdsEffect(ctx_.keys, {"XACK", key_.name, group_.name()}, forgotten_);
  }
  const std::vector<StreamId>& taken() const { return taken_; }
  const std::vector<StreamId>& forgotten() const { return forgotten_; }
  bool has_changes() const { return !taken_.empty() || !forgotten_.empty(); }

 private:
  CommandContext& ctx_;
  const Key& key_;
  StreamValue& stream_;
  StreamGroup& group_;
  const std::string_view consumer_;
  const Claim& claim_;
  std::optional<uint64_t> number_;  // of the consumer
  PendingEffects effects_;
  std::vector<StreamId> taken_;
  std::vector<StreamId> forgotten_;
};

void Claimer::TakeId(StreamId id) {
  std::optional<PendingEntry> entry = group_.FindPending(id);
  if (!stream_.Contains(id)) {
    if (entry) Forget(id);
    return;
  }
  if (!entry) {
    if (!claim_.is_forced) return;
    entry = PendingEntry{.id = id, .delivered_at = ctx_.now(), .deliveries = 1};
  } else if (!IsIdle(*entry)) {
    return;
  }
  Take(*entry);
}

void Claimer::Take(PendingEntry entry) {
  if (!number_) number_ = EnsureConsumer(ctx_.keys, key_, group_, consumer_, true).number;
  entry.consumer = *number_;
  entry.delivered_at = claim_.delivered_at;
  if (claim_.deliveries) {
    entry.deliveries = *claim_.deliveries;
  } else if (!claim_.ids_only) {
    ++entry.deliveries;
  }
  group_.SetPending(entry);
  effects_.Add(entry);
  taken_.push_back(entry.id);
}

void Claimer::Forget(StreamId id) {
  group_.RemovePending(id);
  forgotten_.push_back(id);
}

// Milliseconds; what is negative counts as 0. Nullopt after an error reply.
std::optional<int64_t> ToIdleMin(CommandContext& ctx, std::string_view text) {
  const std::optional<int64_t> idle = ParseInt64(text);
  if (!idle) {
    ctx.reply.Error("ERR", fmt::format("Invalid min-idle-time argument for {}", ctx.spec.name));
    return std::nullopt;
  }
  return std::max<int64_t>(*idle, 0);
}

// ---- XCLAIM

struct ClaimRequest {
  Claim claim;
  std::vector<StreamId> ids;
  StreamId last_id;
};

// Sets the number that follows the option. False after an error reply.
bool TakeNumber(CommandContext& ctx, std::string_view option, std::string_view text, int64_t& out) {
  const std::optional<int64_t> number = ParseInt64(text);
  if (number) {
    out = *number;
  } else {
    ctx.reply.Error("ERR", fmt::format("Invalid {} option argument for XCLAIM", option));
  }
  return number.has_value();
}

// The moment that counts as the delivery: not one in the future, and not one before all time. What
// is repeated from a log (at time 0) says itself when that was.
UnixMillis DeliveredAt(UnixMillis wanted, UnixMillis now) {
  if (now == 0 && wanted >= 0) return wanted;
  return wanted < 0 || wanted > now ? now : wanted;
}

// The option at `at`; moves on to its last word. False after an error reply. Errors:
// kInvalidStreamId.
FaultOr<bool> TakeClaimOption(CommandContext& ctx, size_t& at, ClaimRequest& request) {
  const std::string_view word = ctx.args[at];
  const bool has_more = at + 1 < ctx.args.size();
  int64_t number = 0;
  if (EqualsIgnoreCase(word, "FORCE")) {
    request.claim.is_forced = true;
  } else if (EqualsIgnoreCase(word, "JUSTID")) {
    request.claim.ids_only = true;
  } else if (EqualsIgnoreCase(word, "IDLE") && has_more) {
    if (!TakeNumber(ctx, "IDLE", ctx.args[++at], number)) return false;
    UnixMillis then = 0;
    if (__builtin_sub_overflow(ctx.now(), number, &then)) then = -1;
    request.claim.delivered_at = DeliveredAt(then, ctx.now());
  } else if (EqualsIgnoreCase(word, "TIME") && has_more) {
    if (!TakeNumber(ctx, "TIME", ctx.args[++at], number)) return false;
    request.claim.delivered_at = DeliveredAt(number, ctx.now());
  } else if (EqualsIgnoreCase(word, "RETRYCOUNT") && has_more) {
    if (!TakeNumber(ctx, "RETRYCOUNT", ctx.args[++at], number)) return false;
    request.claim.deliveries.reset();
    if (number >= 0) request.claim.deliveries = static_cast<uint64_t>(number);
  } else if (EqualsIgnoreCase(word, "LASTID") && has_more) {
    ASSIGN_OR_RETURN(request.last_id, ToStreamId(ctx.args[++at]));
  } else {
    ctx.reply.Error("ERR", fmt::format("Unrecognized XCLAIM option '{}'", word));
    return false;
  }
  return true;
}

// Nullopt after an error reply.
FaultOr<std::optional<ClaimRequest>> ParseClaim(CommandContext& ctx) {
  ClaimRequest request;
  const std::optional<int64_t> idle_min = ToIdleMin(ctx, ctx.args[4]);
  if (!idle_min) return std::optional<ClaimRequest>();
  request.claim.idle_min = *idle_min;
  request.claim.delivered_at = ctx.now();
  size_t at = 5;
  for (; at < ctx.args.size(); ++at) {
    const FaultOr<StreamId> id = ToStreamId(ctx.args[at]);
    if (!id.ok()) break;  // the options
    request.ids.push_back(*id);
  }
  for (; at < ctx.args.size(); ++at) {
    ASSIGN_OR_RETURN(const bool taken, TakeClaimOption(ctx, at, request));
    if (!taken) return std::optional<ClaimRequest>();
  }
  return std::optional<ClaimRequest>(std::move(request));
}

// XCLAIM key group consumer min-idle-time id ... [IDLE ms] [TIME ms] [RETRYCOUNT n] [FORCE]
// [JUSTID] [LASTID id] -> the entries claimed. Cost: O(log n) for each.
FaultOr<> XClaim(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(StreamEdit && stream, ctx.keys.Edit<StreamValue>(key));
  StreamGroup* const group = FindGroupOrReply(ctx, stream, key, ctx.args[2]);
  if (group == nullptr) return Ok();
  ASSIGN_OR_RETURN(const std::optional<ClaimRequest> request, ParseClaim(ctx));
  if (!request) return Ok();
  const bool moves_on = request->last_id > group->last_id();
  if (moves_on) group->set_last_id(request->last_id);
  Claimer claimer(ctx, key, *stream, *group, ctx.args[3], request->claim);
  for (const StreamId id : request->ids) claimer.TakeId(id);
  claimer.Finish();
  if (moves_on) AddGroupPositionEffect(ctx.keys, key, *group);
  if (moves_on || claimer.has_changes()) {
    RETURN_IF_ERROR(stream.CommitUnobserved());
  }
  ReplyStreamEntries(ctx.reply, *stream, claimer.taken(), request->claim.ids_only);
  return Ok();
}

// ---- XAUTOCLAIM

struct AutoClaimRequest {
  Claim claim;
  StreamId start;
  uint64_t count = 100;
};

// Nullopt after an error reply.
FaultOr<std::optional<AutoClaimRequest>> ParseAutoClaim(CommandContext& ctx) {
  // Beyond it Redis would fail to reserve the memory; entries looked at are ten times as many.
  constexpr int64_t kCountMax = std::numeric_limits<int64_t>::max() / 16;
  using Request = std::optional<AutoClaimRequest>;
  AutoClaimRequest request;
  const std::optional<int64_t> idle_min = ToIdleMin(ctx, ctx.args[4]);
  if (!idle_min) return Request();
  request.claim.idle_min = *idle_min;
  request.claim.delivered_at = ctx.now();
  ASSIGN_OR_RETURN(request.start, ToRangeStart(ctx.args[5]));
  for (size_t at = 6; at < ctx.args.size(); ++at) {
    if (EqualsIgnoreCase(ctx.args[at], "COUNT") && at + 1 < ctx.args.size()) {
      const std::optional<int64_t> count = ParseInt64(ctx.args[++at]);
      if (!count || *count <= 0 || *count > kCountMax) {
        ctx.reply.Error("ERR", "COUNT must be > 0");
        return Request();
      }
      request.count = static_cast<uint64_t>(*count);
    } else if (EqualsIgnoreCase(ctx.args[at], "JUSTID")) {
      request.claim.ids_only = true;
    } else {
      return Fault::kSyntax;
    }
  }
  return Request(request);
}

// Goes through what is pending from the start on; returns where to go on, 0-0 at the end. First
// looks, then claims, since claiming ends the walk.
StreamId ClaimIdle(const StreamValue& stream, const StreamGroup& group,
                   const AutoClaimRequest& request, Claimer& claimer) {
  uint64_t looks = 10 * request.count;
  uint64_t left = request.count;
  StreamId next;
  struct Found {
    PendingEntry entry;
    bool is_there = false;
  };
  std::vector<Found> found;
  for (StreamGroup::PendingCursor c(group, request.start); !c.at_end(); c.Next()) {
    const PendingEntry entry = c.entry();
    if (looks == 0 || left == 0) {
      next = entry.id;
      break;
    }
    --looks;
    const bool is_there = stream.Contains(entry.id);
    if (is_there && !claimer.IsIdle(entry)) continue;
    found.push_back({entry, is_there});
    --left;
  }
  for (const Found& one : found) {
    if (one.is_there) {
      claimer.Take(one.entry);
    } else {
      claimer.Forget(one.entry.id);
    }
  }
  return next;
}

// XAUTOCLAIM key group consumer min-idle-time start [COUNT n] [JUSTID] -> where to go on, the
// entries claimed, the ids of those that are gone. Cost: O(log n) for each entry looked at, of
// which there are ten times COUNT at most.
FaultOr<> XAutoClaim(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  ASSIGN_OR_RETURN(const std::optional<AutoClaimRequest> request, ParseAutoClaim(ctx));
  if (!request) return Ok();
  ASSIGN_OR_RETURN(StreamEdit && stream, ctx.keys.Edit<StreamValue>(key));
  StreamGroup* const group = FindGroupOrReply(ctx, stream, key, ctx.args[2]);
  if (group == nullptr) return Ok();
  Claimer claimer(ctx, key, *stream, *group, ctx.args[3], request->claim);
  const StreamId next = ClaimIdle(*stream, *group, *request, claimer);
  claimer.Finish();
  if (claimer.has_changes()) {
    RETURN_IF_ERROR(stream.CommitUnobserved());
  }
  ctx.reply.Array(3);
  ctx.reply.Bulk(StreamIdText(next));
  ReplyStreamEntries(ctx.reply, *stream, claimer.taken(), request->claim.ids_only);
  ReplyStreamEntries(ctx.reply, *stream, claimer.forgotten(), true);
  return Ok();
}

constexpr CommandSpec kStreamClaimCommands[] = {
    {.name = "XCLAIM",
     .handler = XClaim,
     .arity = AtLeast(6),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclStream,
     .group = "stream",
     .since = "5.0.0",
     .summary = "Gives pending entries to another consumer.",
     .tips = "nondeterministic_output",
     .key_access = "RW update"},
    {.name = "XAUTOCLAIM",
     .handler = XAutoClaim,
     .arity = AtLeast(6),
     .keys = OneKeyAt(1),
     .flags = kWrite | kFast,
     .acl = kAclStream,
     .group = "stream",
     .since = "6.2.0",
     .summary = "Gives entries that have been pending for long to another consumer.",
     .tips = "nondeterministic_output",
     .key_access = "RW delete"},
};

}  // namespace

std::span<const CommandSpec> StreamClaimCommands() { return kStreamClaimCommands; }

}  // namespace mikura::engine
