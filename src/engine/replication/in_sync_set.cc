// SPDX-License-Identifier: Apache-2.0
#include "engine/replication/in_sync_set.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"

namespace mikura::engine {

InSyncSet::InSyncSet(std::function<Lsn()> log_end, Listener on_state)
    : log_end_(std::move(log_end)), on_state_(std::move(on_state)) {}

void InSyncSet::Configure(const Settings& settings, MonotonicNanos now, bool begins_epoch) {
  MutexLock lock(mutex_);
  const bool begins = settings.enabled && !settings_.enabled;
  is_frozen_ = false;
  const bool was_alone = settings_.enabled && settings_.needed == 0 && !AnyCounts();
  settings_ = settings;
  if (begins || was_alone) released_ = kept_ = log_end_();
  if (begins) {
    anything_left_ = true;
    for (Replica& replica : replicas_) CatchUp(replica);
  }
  if (begins_epoch) BeginEpoch();
  Publish(now);
}

bool InSyncSet::is_enabled() const {
  MutexLock lock(mutex_);
  return settings_.enabled;
}

InSyncSet::State InSyncSet::state() const {
  MutexLock lock(mutex_);
  return state_;
}

bool InSyncSet::IsInSync(Id replica) const {
  MutexLock lock(mutex_);
  return settings_.enabled && std::any_of(replicas_.begin(), replicas_.end(), [&](const auto& one) {
           return one.id == replica && one.stage == Stage::kInSync;
         });
}

InSyncSet::Replica* InSyncSet::Find(Id id) {
  const auto found = std::find_if(replicas_.begin(), replicas_.end(),
                                  [id](const Replica& replica) { return replica.id == id; });
  return found == replicas_.end() ? nullptr : &*found;
}

bool InSyncSet::AnyCounts() const {
  return std::any_of(replicas_.begin(), replicas_.end(),
                     [](const Replica& replica) { return replica.counts(); });
}

void InSyncSet::CatchUp(Replica& replica) {
  replica.stage = Stage::kCatchingUp;
  replica.target = log_end_();
  replica.behind_since = 0;
}

void InSyncSet::Add(Id replica, const std::string& name, Lsn acknowledged, MonotonicNanos now) {
  MutexLock lock(mutex_);
  Replica& added = replicas_.emplace_back();
  added.id = replica;
  added.name = name;
  added.acknowledged = std::min(acknowledged, log_end_());
  CatchUp(added);
  if (settings_.enabled) Promote(added);
  Publish(now);
}

void InSyncSet::Acknowledge(Id replica, Lsn acknowledged, MonotonicNanos now) {
  MutexLock lock(mutex_);
  Replica* const who = Find(replica);
  if (who == nullptr) return;
  who->acknowledged = std::min(acknowledged, log_end_());  // no replica has more than there is
  if (!settings_.enabled) return;
  if (who->acknowledged >= who->behind_target) who->behind_since = 0;
  Promote(*who);
  Publish(now);
}

void InSyncSet::Remove(Id replica, MonotonicNanos now) {
  MutexLock lock(mutex_);
  Replica* const who = Find(replica);
  if (who == nullptr) return;
  if (who->counts()) {
    Log(LogLevel::kWarning, "replication", "replica {} is not in sync any more: it has left",
        who->name);
  }
  std::erase_if(replicas_, [replica](const Replica& one) { return one.id == replica; });
  Publish(now);
}

// S2.
void InSyncSet::Promote(Replica& replica) {
  if (replica.stage == Stage::kInSync) return;
  if (!anything_left_ && !replica.counts()) {
    if (replica.acknowledged >= released_) Enter(replica);
    return;
  }
  if (replica.acknowledged < replica.target) return;
  if (!replica.counts()) {
    replica.stage = Stage::kJoining;
    // From when this is published nothing leaves without it; what left before is logged by now.
    Publish(0);
    replica.target = log_end_();
    if (replica.acknowledged < replica.target) return;
  }
  released_ = std::max(released_, replica.target);
  anything_left_ = false;
  Enter(replica);
}

void InSyncSet::Enter(Replica& replica) {
  replica.stage = Stage::kInSync;
  Log(LogLevel::kNotice, "replication", "replica {} is in sync from offset {}", replica.name,
      replica.acknowledged);
}

void InSyncSet::NoteBehind(MonotonicNanos now) {
  const Lsn end = log_end_();
  for (Replica& replica : replicas_) {
    if (!replica.counts() || replica.behind_since != 0 || replica.acknowledged >= end) continue;
    replica.behind_since = now;
    replica.behind_target = end;
  }
}

bool InSyncSet::NoteDemand(MonotonicNanos now) {
  MutexLock lock(mutex_);
  if (settings_.enabled) NoteBehind(now);
  return settings_.enabled;
}

void InSyncSet::Tick(MonotonicNanos now) {
  MutexLock lock(mutex_);
  if (!settings_.enabled) return;
  NoteBehind(now);
  const MonotonicNanos lag_max = std::chrono::nanoseconds(settings_.lag_max).count();
  for (Replica& replica : replicas_) {
    if (!replica.counts() || replica.behind_since == 0) continue;
    const MonotonicNanos behind = now - replica.behind_since;
    if (behind <= lag_max) continue;
    Log(LogLevel::kWarning, "replication",
        "replica {} is not in sync any more: it has been behind for {} ms", replica.name,
        behind / 1'000'000);
    CatchUp(replica);
  }
  Publish(now);
}

void InSyncSet::Freeze() {
  MutexLock lock(mutex_);
  is_frozen_ = settings_.enabled;
}

void InSyncSet::BeginEpoch() {
  for (Replica& replica : replicas_) {
    CatchUp(replica);
    replica.acknowledged = 0;
  }
  released_ = log_end_();
  kept_ = 0;
  anything_left_ = false;
}

Lsn InSyncSet::Durable() const {
  if (!settings_.enabled) return kEverything;
  Lsn durable = kEverything;
  for (const Replica& replica : replicas_) {
    if (replica.counts()) durable = std::min(durable, replica.acknowledged);
  }
  if (durable != kEverything || settings_.needed == 0) return durable;
  return kept_;
}

void InSyncSet::Publish(MonotonicNanos now) {
  if (is_frozen_) return;
  State state{.durable = Durable()};
  const bool counts = AnyCounts();
  state.in_sync = static_cast<uint32_t>(
      std::count_if(replicas_.begin(), replicas_.end(),
                    [](const Replica& replica) { return replica.stage == Stage::kInSync; }));
  if (settings_.enabled) {
    if (!counts && settings_.needed == 0) anything_left_ = true;
    if (counts && !anything_left_) released_ = std::max(released_, state.durable);
    if (counts) kept_ = state.durable;
    state.lacks = state.in_sync < settings_.needed;
    if (!counts && settings_.needed > 0) {
      state.lost_since = state_.lost_since != 0 ? state_.lost_since : now;
    }
  }
  if (state == state_) return;
  state_ = state;
  on_state_(state);
}

}  // namespace mikura::engine
