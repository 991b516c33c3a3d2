// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/set_random_commands.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/collections/set_value.h"
#include "engine/commands/command_support.h"
#include "engine/commands/long_reply.h"
#include "engine/commands/prepared_edit.h"
#include "engine/commands/random_picks.h"
#include "engine/commands/set_support.h"

namespace mikura::engine {
namespace {

using collections::SetValue;

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
  const auto change = [count, version](SetValue& set, std::span<const std::string_view> args,
                                       const EncodingLimits&) {
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

}  // namespace

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

}  // namespace mikura::engine
