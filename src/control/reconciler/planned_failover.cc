// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/planned_failover.h"

#include <thread>
#include <utility>

#include "base/logging.h"

namespace mikura::control {
namespace {

using std::chrono_literals::operator""ms;

// A target further behind is not waited for with writes held.
constexpr int64_t kLagBytesMax = 1 << 20;
// What a write may wait at most when we die in the middle.
constexpr std::chrono::milliseconds kHold = 2'000ms;
// Within one pass, in steps.
constexpr int kLooks = 25;
constexpr std::chrono::milliseconds kLookPause = 1ms;

MonotonicNanos Nanos(std::chrono::milliseconds time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

}  // namespace

Status PlannedFailover::Request(Loaded<ShardState>& shard, const std::string& target) {
  const ShardState& state = shard.record;
  if (!state.hand_to.empty() || !state.failover_from.empty() || state.primary == target) {
    return Ok();
  }
  if (context_.clock.NowNanos() < attempts_[shard.kv.key].retry_after) return Ok();
  ShardState next = state;
  next.hand_to = target;
  RETURN_IF_ERROR(ReplaceShard(context_.store, shard, std::move(next), {}));
  return Ok();
}

Result<bool> PlannedFailover::Step(Loaded<ShardState>& shard, std::vector<ShardMember>& members) {
  const ShardState& state = shard.record;
  if (state.hand_to.empty()) {
    attempts_[shard.kv.key].began = 0;
    return true;
  }
  if (state.hand_to == state.primary) return Finish(shard, members);
  Attempt& attempt = attempts_[shard.kv.key];
  const MonotonicNanos now = context_.clock.NowNanos();
  if (attempt.began == 0) attempt.began = now;
  const ShardMember* primary = FindMember(members, state.primary);
  const ShardMember* target = FindMember(members, state.hand_to);
  if (target == nullptr || target->seen.Gone() || !state.IsInSync(state.hand_to)) {
    RETURN_IF_ERROR(GiveUp(shard, "the target is lost"));
    return true;
  }
  const bool reachable = primary->seen.answering && IsSyncedReplica(*target, *primary);
  if (!reachable || !CatchUp(primary->spec.id, target->spec.id)) {
    if (now - attempt.began > Nanos(context_.timings.handover_max)) {
      RETURN_IF_ERROR(GiveUp(shard, "the target does not catch up"));
    }
    return true;
  }
  ShardState next = state;
  ++next.epoch;
  next.primary = state.hand_to;
  next.failover_from = state.primary;
  ASSIGN_OR_RETURN(const bool replaced, ReplaceShard(context_.store, shard, std::move(next), {}));
  return replaced ? Finish(shard, members) : Result<bool>(true);
}

Result<bool> PlannedFailover::Finish(Loaded<ShardState>& shard, std::vector<ShardMember>& members) {
  const ShardState& state = shard.record;
  ShardMember* before = FindMember(members, state.failover_from);
  const ShardMember* target = FindMember(members, state.primary);
  if (before != nullptr && !before->seen.Gone()) {
    // One that hangs is ended by its host: then it is gone.
    if (!before->seen.answering) return false;
    if (before->seen.is_primary) {
      const auto end = CatchUp(before->spec.id, target->spec.id);
      if (!end) return false;
      const Status stepped =
          context_.runtime.StepDown(before->spec.id, state.epoch, target->spec.endpoint, *end);
      if (!stepped.ok()) {
        Log(LogLevel::kInfo, "reconciler", "node {}: step down: {}", before->spec.id,
            stepped.error().message);
        return false;
      }
      before->seen = context_.runtime.Observe(before->spec.id);
    }
  }
  ShardState next = state;
  next.hand_to.clear();
  return ReplaceShard(context_.store, shard, std::move(next), {});
}

Status PlannedFailover::GiveUp(Loaded<ShardState>& shard, const std::string& why) {
  Log(LogLevel::kWarning, "reconciler", "shard {}: no planned failover from {} to {} for now: {}",
      shard.kv.key, shard.record.primary, shard.record.hand_to, why);
  Release(shard.record.primary);
  Attempt& attempt = attempts_[shard.kv.key];
  attempt.began = 0;
  attempt.retry_after = context_.clock.NowNanos() + Nanos(context_.timings.handover_pause);
  ShardState next = shard.record;
  next.hand_to.clear();
  RETURN_IF_ERROR(ReplaceShard(context_.store, shard, std::move(next), {}));
  return Ok();
}

void PlannedFailover::Release(const std::string& node_id) {
  // One that does not answer lets them go on by itself.
  static_cast<void>(context_.runtime.HoldWrites(node_id, 0ms).ok());
}

std::optional<int64_t> PlannedFailover::CatchUp(const std::string& from,
                                                const std::string& target) {
  const auto head = context_.runtime.Position(from);
  const auto tail = context_.runtime.Position(target);
  if (!head.ok() || !tail.ok() || tail->loading || head->offset - tail->offset > kLagBytesMax) {
    return std::nullopt;
  }
  const auto end = context_.runtime.HoldWrites(from, kHold);
  if (!end.ok()) return std::nullopt;
  for (int look = 0; look < kLooks; ++look) {
    const auto reached = context_.runtime.Position(target);
    if (!reached.ok()) return std::nullopt;
    if (reached->offset >= *end) return *end;
    std::this_thread::sleep_for(kLookPause);
  }
  return std::nullopt;
}

}  // namespace mikura::control
