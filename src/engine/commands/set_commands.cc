// SPDX-License-Identifier: Apache-2.0
// Commands on one set, and SMOVE.
#include <algorithm>

#include "engine/collections/set_value.h"
#include "engine/commands/command_families.h"
#include "engine/commands/command_support.h"
#include "engine/commands/long_read.h"
#include "engine/commands/long_reply.h"
#include "engine/commands/prepared_edit.h"
#include "engine/commands/random_picks.h"
#include "engine/commands/scan_options.h"
#include "engine/commands/set_support.h"
#include "engine/keyspace/collection_access.h"

namespace mikura::engine {
namespace {

using collections::SetValue;
using SetView = CollectionView<SetValue>;
using SetEdit = CollectionEdit<SetValue>;

// What a change of the set is told as, and the end of its key where it became empty.
void NotifyRemoval(CommandContext& ctx, const Key& key, std::string_view event, bool key_is_gone) {
  ctx.keys.Notify(EventClass::kSet, event, key);
  if (key_is_gone) ctx.keys.Notify(EventClass::kGeneric, "del", key);
}

using Words = std::span<const std::string_view>;

int64_t AddMembers(SetValue& set, Words args, const EncodingLimits& limits) {
  int64_t added = 0;
  for (const std::string_view member : args.subspan(2)) added += set.Add(member) ? 1 : 0;
  if (added > 0) ApplySetLimits(limits, set);
  return added;
}

FaultOr<> FinishAdd(CommandContext& ctx, SetEdit& set, int64_t added) {
  ctx.reply.Integer(added);
  if (added == 0) return Ok();
  const FaultOr<bool> stored = set.Commit();
  if (!stored.ok()) return stored.error();
  ctx.keys.effects().Add(ctx.keys.database(), ctx.args);
  ctx.keys.Notify(EventClass::kSet, "sadd", ctx.key_list[0]);
  return Ok();
}

FaultOr<> SAdd(CommandContext& ctx) {
  if (HasManyWords(ctx)) [[unlikely]]
    return EditPrepared<SetValue, int64_t>(ctx, AddMembers, FinishAdd);
  ASSIGN_OR_RETURN(SetEdit && set, ctx.keys.Edit<SetValue>(ctx.key_list[0]));
  return FinishAdd(ctx, set, AddMembers(*set, ctx.args, ctx.services.encoding_limits));
}

int64_t RemoveMembers(SetValue& set, Words args, const EncodingLimits&) {
  int64_t removed = 0;
  for (const std::string_view member : args.subspan(2)) removed += set.Erase(member) ? 1 : 0;
  return removed;
}

FaultOr<> FinishRemoval(CommandContext& ctx, SetEdit& set, int64_t removed) {
  ctx.reply.Integer(removed);
  if (removed == 0) return Ok();
  ASSIGN_OR_RETURN(const bool key_is_gone, set.Commit());
  ctx.keys.effects().Add(ctx.keys.database(), ctx.args);
  NotifyRemoval(ctx, ctx.key_list[0], "srem", key_is_gone);
  return Ok();
}

FaultOr<> SRem(CommandContext& ctx) {
  if (HasManyWords(ctx)) [[unlikely]]
    return EditPrepared<SetValue, int64_t>(ctx, RemoveMembers, FinishRemoval);
  ASSIGN_OR_RETURN(SetEdit && set, ctx.keys.Edit<SetValue>(ctx.key_list[0]));
  return FinishRemoval(ctx, set, RemoveMembers(*set, ctx.args, ctx.services.encoding_limits));
}

FaultOr<> SIsMember(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const SetView& set, ctx.keys.View<SetValue>(ctx.key_list[0]));
  ctx.reply.Integer(set && set->Contains(ctx.args[2]) ? 1 : 0);
  return Ok();
}

FaultOr<> SMIsMember(CommandContext& ctx) {
  return ReplyForNames<SetValue>(
      ctx, [](wire::RespWriter& reply, const SetValue* set, std::string_view member) {
        reply.Integer(set != nullptr && set->Contains(member) ? 1 : 0);
      });
}

FaultOr<> SCard(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const SetView& set, ctx.keys.View<SetValue>(ctx.key_list[0]));
  ctx.reply.Integer(set ? static_cast<int64_t>(set->size()) : 0);
  return Ok();
}

FaultOr<> SMembers(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const SetView& set, ctx.keys.View<SetValue>(ctx.key_list[0]));
  ctx.reply.Set(set ? set->size() : 0);
  if (!set) return Ok();
  const auto make_walk = [&](const SetValue& copy) {
    return RangeWalk(SetValue::Cursor(copy), copy.size(), ReplySetMember);
  };
  if (ReplyLater(ctx.keys, ctx.reply, *set, set->size(), make_walk)) return Ok();
  for (SetValue::Cursor c(*set); !c.at_end(); c.Next()) ctx.reply.Bulk(c.element());
  return Ok();
}

// SMOVE source destination member -> whether it was moved.
FaultOr<> SMove(CommandContext& ctx) {
  const Key& from = ctx.key_list[0];
  const Key& to = ctx.key_list[1];
  const std::string_view member = ctx.args[3];
  ASSIGN_OR_RETURN(const SetView& source, ctx.keys.View<SetValue>(from));
  if (!source) {
    ctx.reply.Integer(0);
    return Ok();
  }
  ASSIGN_OR_RETURN(const SetView& destination, ctx.keys.View<SetValue>(to));
  const bool is_there = source->Contains(member);
  const bool is_new = !destination || !destination->Contains(member);
  ctx.reply.Integer(is_there ? 1 : 0);
  if (!is_there || from.name == to.name) return Ok();
  ASSIGN_OR_RETURN(SetEdit && less, ctx.keys.Edit<SetValue>(from));
  less->Erase(member);
  ASSIGN_OR_RETURN(const bool key_is_gone, less.Commit());
  NotifyRemoval(ctx, from, "srem", key_is_gone);
  AddEffect(ctx, {"SREM", from.name, member});
  if (!is_new) return Ok();
  ASSIGN_OR_RETURN(SetEdit && more, ctx.keys.Edit<SetValue>(to));
  more->Add(member);
  ApplySetLimits(ctx, *more);
  RETURN_IF_ERROR(more.Commit());
  AddEffect(ctx, {"SADD", to.name, member});
  ctx.keys.Notify(EventClass::kSet, "sadd", to);
  return Ok();
}

// The members but those at some positions, ascending. The cursor stands at the first member.
class OthersWalk {
 public:
  static constexpr size_t kSteps = 4096;

  OthersWalk(const SetValue& set, std::vector<uint64_t> left_out)
      : cursor_(set), left_out_(std::move(left_out)) {
    Skip();
  }
  bool at_end() const { return cursor_.at_end(); }
  void Step(wire::RespWriter& reply) {
    reply.Bulk(cursor_.element());
    Next();
    Skip();
  }

 private:
  void Next() {
    cursor_.Next();
    ++at_;
  }
  void Skip() {
    for (; next_ < left_out_.size() && left_out_[next_] == at_; ++next_) Next();
  }

  SetValue::Cursor cursor_;
  std::vector<uint64_t> left_out_;
  size_t next_ = 0;
  uint64_t at_ = 0;
};

// Whether most members go: then it is faster to choose those that stay.
bool IsKeepingFaster(uint64_t taken, uint64_t size) { return size - taken < taken / 8; }

// Takes all members but `count`, at random, out of the set, and answers them later. False, and
// nothing was done, when they are to be answered, or logged, at once.
FaultOr<bool> PopAllBut(CommandContext& ctx, const Key& key, SetEdit& set, uint64_t count) {
  if (ctx.keys.effects().active()) return false;
  const size_t mark = ctx.reply.out().size();
  ctx.reply.Set(set->size() - count);
  RandomSource random;
  std::vector<uint64_t> kept = PickDifferent(random, set->size(), count);
  std::sort(kept.begin(), kept.end());
  const auto make_walk = [&](const SetValue& copy) { return OthersWalk(copy, kept); };
  if (!ReplyLater(ctx.keys, ctx.reply, std::as_const(*set), set->size() - count, make_walk)) {
    ctx.reply.out().Truncate(mark);
    return false;
  }
  for (uint64_t end = set->size(); !kept.empty(); kept.pop_back()) {
    set->EraseAt(kept.back() + 1, end - kept.back() - 1);
    end = kept.back();
    if (kept.size() == 1) set->EraseAt(0, end);
  }
  const FaultOr<bool> committed = set.Commit();
  if (!committed.ok()) {
    ctx.reply.out().Truncate(mark);
    return committed.error();
  }
  NotifyRemoval(ctx, key, "spop", false);
  return true;
}

// Takes `count` different members, at random, out of the set.
std::vector<std::string> TakeMembers(SetValue& set, uint64_t count) {
  RandomSource random;
  std::vector<std::string> members;
  members.reserve(static_cast<size_t>(count));
  if (count == set.size()) {
    for (SetValue::Cursor c(set); !c.at_end(); c.Next()) members.emplace_back(c.element());
    set.EraseAt(0, count);
    return members;
  }
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = random.Below(set.size());
    members.emplace_back(set.At(at));
    set.EraseAt(at);
  }
  return members;
}

// What SPOP has taken, and how that is told.
struct TakenMembers {
  std::shared_ptr<ReplyComputation> reply;
  std::string record;
};

TakenMembers TakeManyMembers(SetValue& set, std::string_view key, uint64_t count, int version) {
  const std::vector<std::string> members = TakeMembers(set, count);
  TakenMembers taken;
  AppendCommandHeader(taken.record, members.size() + 2);
  AppendCommandWord(taken.record, "SREM");
  AppendCommandWord(taken.record, key);
  for (const std::string& member : members) AppendCommandWord(taken.record, member);
  taken.reply = std::make_shared<FunctionReply>([&](wire::RespWriter& reply) {
    reply.Set(members.size());
    for (const std::string& member : members) reply.Bulk(member);
  });
  taken.reply->set_version(version);
  taken.reply->Run();
  return taken;
}

// Takes so many that it takes long.
FaultOr<> PopManyMembers(CommandContext& ctx, uint64_t count) {
  const int version = ctx.reply.version();
  const auto change = [count, version](SetValue& set, Words args, const EncodingLimits&) {
    return TakeManyMembers(set, args[1], count, version);
  };
  return EditPrepared<SetValue, TakenMembers>(
      ctx, change, [](CommandContext& context, SetEdit& set, TakenMembers taken) -> FaultOr<> {
        ASSIGN_OR_RETURN(const bool key_is_gone, set.Commit());
        const Key& key = context.key_list[0];
        if (key_is_gone) {
          AddEffect(context, {"DEL", key.name});
        } else {
          context.keys.effects().AddEncoded(context.keys.database(), taken.record);
        }
        ReplyDone(context, std::move(taken.reply));
        NotifyRemoval(context, key, "spop", key_is_gone);
        return Ok();
      });
}

// Takes `count` members; answers them.
FaultOr<> PopMembers(CommandContext& ctx, const Key& key, SetEdit& set, uint64_t count) {
  if (count < set->size() && IsKeepingFaster(count, set->size())) {
    ASSIGN_OR_RETURN(const bool is_done, PopAllBut(ctx, key, set, set->size() - count));
    if (is_done) return Ok();
  }
  const std::vector<std::string> members = TakeMembers(*set, count);
  ASSIGN_OR_RETURN(const bool key_is_gone, set.Commit());
  if (ctx.args.size() == 3) ctx.reply.Set(count);
  for (const std::string& member : members) ctx.reply.Bulk(member);
  // SPOP without a count says what it took, also of the last one, as Redis does.
  if (key_is_gone && ctx.args.size() > 2) {
    AddEffect(ctx, {"DEL", key.name});
  } else {
    std::vector<std::string_view> words = {"SREM", key.name};
    words.insert(words.end(), members.begin(), members.end());
    ctx.keys.effects().Add(ctx.keys.database(), words);
  }
  NotifyRemoval(ctx, key, "spop", key_is_gone);
  return Ok();
}

// SPOP key [count]
FaultOr<> SPop(CommandContext& ctx) {
  const Key& key = ctx.key_list[0];
  if (ctx.args.size() > 3) return Fault::kSyntax;
  const bool has_count = ctx.args.size() == 3;
  int64_t count = 1;
  if (has_count) {
    const std::optional<int64_t> given = ParseInt64(ctx.args[2]);
    if (!given || *given < 0) {
      ctx.reply.Error("ERR", "value is out of range, must be positive");
      return Ok();
    }
    count = *given;
  }
  if (count >= static_cast<int64_t>(kComputedAtOnce)) [[unlikely]] {
    // Before it is opened for a change, which would make a further copy of what is held.
    ASSIGN_OR_RETURN(const SetView& view, ctx.keys.View<SetValue>(key));
    const uint64_t size = view ? view->size() : 0;
    const uint64_t taken = std::min(static_cast<uint64_t>(count), size);
    const bool keeps = taken < size && IsKeepingFaster(taken, size);
    if (taken >= kComputedAtOnce && (!keeps || ctx.keys.effects().active())) {
      return PopManyMembers(ctx, taken);
    }
  }
  ASSIGN_OR_RETURN(SetEdit && set, ctx.keys.Edit<SetValue>(key));
  if (!has_count && set->empty()) {
    ctx.reply.Null();
    return Ok();
  }
  const uint64_t taken = std::min(static_cast<uint64_t>(count), set->size());
  if (taken == 0) {
    ctx.reply.Set(0);
    return Ok();
  }
  return PopMembers(ctx, key, set, taken);
}

// `count` different members, as many as there are at most.
void ReplyDifferent(CommandContext& ctx, const SetValue& set, uint64_t count) {
  ctx.reply.Array(count);
  if (count == set.size() || IsLargeSample(count, set.size())) {
    const auto make_walk = [&](const SetValue& copy) {
      return SampleWalk(SetValue::Cursor(copy), copy.size(), count, ReplySetMember);
    };
    if (ReplyLater(ctx.keys, ctx.reply, set, count, make_walk)) return;
  }
  if (count == set.size()) {
    for (SetValue::Cursor c(set); !c.at_end(); c.Next()) ctx.reply.Bulk(c.element());
    return;
  }
  RandomSource random;
  for (const uint64_t at : PickDifferent(random, set.size(), count)) ctx.reply.Bulk(set.At(at));
}

// SRANDMEMBER key [count]; a negative count may give members several times.
FaultOr<> SRandMember(CommandContext& ctx) {
  if (ctx.args.size() > 3) return Fault::kSyntax;
  const bool has_count = ctx.args.size() == 3;
  int64_t count = 1;
  if (has_count) {
    const std::optional<int64_t> given = TakeCount(ctx, ctx.args[2]);
    if (!given) return Ok();
    count = *given;
  }
  RandomSource random;
  ASSIGN_OR_RETURN(const SetView& set, ctx.keys.View<SetValue>(ctx.key_list[0]));
  if (!has_count) {
    if (set) {
      ctx.reply.Bulk(set->At(random.Below(set->size())));
    } else {
      ctx.reply.Null();
    }
  } else if (!set || count == 0) {
    ctx.reply.Array(0);
  } else if (count > 0) {
    ReplyDifferent(ctx, *set, std::min(static_cast<uint64_t>(count), set->size()));
  } else if (!IsReplyBounded(static_cast<uint64_t>(-count), set->size(), set->memory_bytes())) {
    ctx.reply.Error("ERR", "value is out of range");
  } else {
    ctx.reply.Array(static_cast<size_t>(-count));
    const auto make_walk = [&](const SetValue& copy) {
      return RandomWalk(copy.size(), static_cast<uint64_t>(-count),
                        [&copy](wire::RespWriter& reply, uint64_t at) { reply.Bulk(copy.At(at)); });
    };
    if (ReplyLater(ctx.keys, ctx.reply, *set, static_cast<uint64_t>(-count), make_walk)) {
      return Ok();
    }
    for (int64_t i = 0; i < -count; ++i) ctx.reply.Bulk(set->At(random.Below(set->size())));
  }
  return Ok();
}

// SSCAN key cursor [MATCH pattern] [COUNT n] -> the next cursor, and members. One that is there
// during a whole iteration is returned at least once.
FaultOr<> SScan(CommandContext& ctx) {
  ASSIGN_OR_RETURN(const uint64_t cursor, ParseScanCursor(ctx.args[2]));
  ASSIGN_OR_RETURN(const SetView& set, ctx.keys.View<SetValue>(ctx.key_list[0]));
  ScanReply reply;
  if (!set) {
    reply.Write(ctx.reply, 0);
    return Ok();
  }
  ASSIGN_OR_RETURN(const ScanOptions options,
                   ParseScanOptions(ScanKind::kElements, ctx.args.subspan(3)));
  const uint64_t next =
      set->Scan(cursor, static_cast<uint64_t>(options.count), [&](std::string_view member) {
        if (options.Matches(member)) reply.Add(member);
      });
  reply.Write(ctx.reply, next);
  return Ok();
}

constexpr CommandSpec Row(std::string_view name, CommandHandler handler, Arity arity,
                          uint32_t flags, std::string_view since, std::string_view summary,
                          std::string_view access, std::string_view tips = {}) {
  return {.name = name,
          .handler = handler,
          .arity = arity,
          .keys = OneKeyAt(1),
          .flags = flags,
          .acl = kAclSet,
          .group = "set",
          .since = since,
          .summary = summary,
          .tips = tips,
          .key_access = access};
}

constexpr CommandSpec kCommands[] = {
    Row("SADD", SAdd, AtLeast(3), kWrite | kDenyOom | kFast, "1.0.0", "Adds members to a set.",
        "RW insert"),
    Row("SREM", SRem, AtLeast(3), kWrite | kFast, "1.0.0", "Removes members from a set.",
        "RW delete"),
    Row("SISMEMBER", SIsMember, Exactly(3), kReadOnly | kFast, "1.0.0",
        "Tells whether a set has a member.", "RO"),
    Row("SMISMEMBER", SMIsMember, AtLeast(3), kReadOnly | kFast, "6.2.0",
        "Tells which of several members a set has.", "RO access"),
    Row("SCARD", SCard, Exactly(2), kReadOnly | kFast, "1.0.0", "Counts the members of a set.",
        "RO"),
    Row("SMEMBERS", SMembers, Exactly(2), kReadOnly, "1.0.0", "Returns all members of a set.",
        "RO access", "nondeterministic_output_order"),
    Row("SPOP", SPop, AtLeast(2), kWrite | kFast, "1.0.0", "Removes and returns random members.",
        "RW access delete", "nondeterministic_output"),
    Row("SRANDMEMBER", SRandMember, AtLeast(2), kReadOnly, "1.0.0", "Returns random members.",
        "RO access", "nondeterministic_output"),
    Row("SSCAN", SScan, AtLeast(3), kReadOnly, "2.8.0", "Iterates over the members of a set.",
        "RO access", "nondeterministic_output"),
    {.name = "SMOVE",
     .handler = SMove,
     .arity = Exactly(4),
     .keys = KeysFrom(1, 2, 1),
     .flags = kWrite | kFast,
     .acl = kAclSet,
     .group = "set",
     .since = "1.0.0",
     .summary = "Moves a member from one set to another.",
     .key_access = "RW access delete;RW insert"},
};

}  // namespace

std::span<const CommandSpec> SetCommands() { return kCommands; }

}  // namespace mikura::engine
