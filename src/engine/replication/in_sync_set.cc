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
  const bool was_alone = settings_.enabled && IsAlone();
  if (!settings.enabled || !settings.needs_agreement) Unbind();
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

InSyncSet::Replica* InSyncSet::FindByName(const std::string& name) {
  const auto found = std::find_if(replicas_.begin(), replicas_.end(),
                                  [&](const Replica& replica) { return replica.name == name; });
  return found == replicas_.end() ? nullptr : &*found;
}

void InSyncSet::EnterStage(Replica& replica, Stage stage) {
  const bool was_in = replica.is_in();
  replica.stage = stage;
  if (was_in == replica.is_in()) return;
  ++wanted_version_;
  if (!replica.is_in()) replica.left_version = wanted_version_;
  if (replica.is_in() && settings_.needs_agreement) replica.is_bound = true;
}

void InSyncSet::CatchUp(Replica& replica) {
  EnterStage(replica, Stage::kCatchingUp);
  replica.target = log_end_();
  replica.behind_since = 0;
}

void InSyncSet::Add(Id replica, const std::string& name, Lsn acknowledged, MonotonicNanos now) {
  MutexLock lock(mutex_);
  // One that was cut off and comes again may be in the set all the time.
  Replica* const known = settings_.needs_agreement ? FindByName(name) : nullptr;
  Replica& added = known != nullptr ? *known : replicas_.emplace_back();
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
  if (who->is_in()) {
    Log(LogLevel::kWarning, "replication", "replica {} is not in sync any more: it has left",
        who->name);
  }
  if (who->is_bound) {
    CatchUp(*who);
    who->id = nullptr;
  } else {
    if (who->is_in()) ++wanted_version_;
    std::erase_if(replicas_, [replica](const Replica& one) { return one.id == replica; });
  }
  Publish(now);
}

// S2.
void InSyncSet::Promote(Replica& replica) {
  if (replica.stage == Stage::kInSync) return;
  if (!anything_left_ && !replica.is_in()) {
    if (replica.acknowledged >= released_) Enter(replica);
    return;
  }
  if (replica.acknowledged < replica.target) return;
  if (!replica.is_in()) {
    EnterStage(replica, Stage::kJoining);
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
  EnterStage(replica, Stage::kInSync);
  Log(LogLevel::kNotice, "replication", "replica {} is in sync from offset {}", replica.name,
      replica.acknowledged);
}

void InSyncSet::NoteBehind(MonotonicNanos now) {
  const Lsn end = log_end_();
  for (Replica& replica : replicas_) {
    if (!replica.is_in() || replica.behind_since != 0 || replica.acknowledged >= end) continue;
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
    if (!replica.is_in() || replica.behind_since == 0) continue;
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
  Unbind();
  for (Replica& replica : replicas_) {
    CatchUp(replica);
    replica.acknowledged = 0;
  }
  released_ = log_end_();
  kept_ = 0;
  anything_left_ = false;
}

InSyncSet::Wanted InSyncSet::wanted() const {
  MutexLock lock(mutex_);
  Wanted wanted{.version = wanted_version_, .names = {}};
  for (const Replica& replica : replicas_) {
    if (replica.is_in()) wanted.names.push_back(replica.name);
  }
  return wanted;
}

bool InSyncSet::Agree(uint64_t version, const std::vector<std::string>& names, MonotonicNanos now) {
  MutexLock lock(mutex_);
  if (!settings_.enabled || !settings_.needs_agreement) return false;
  has_agreed_ = true;
  for (const std::string& name : names) {
    Replica* who = FindByName(name);
    if (who == nullptr) {
      who = &replicas_.emplace_back();
      who->name = name;
    }
    who->is_bound = true;
  }
  for (Replica& replica : replicas_) {
    const bool is_named = std::find(names.begin(), names.end(), replica.name) != names.end();
    // What was wanted before it left may have held it: that says nothing.
    if (is_named || replica.is_in() || version < replica.left_version) continue;
    replica.is_bound = false;
  }
  std::erase_if(replicas_, [](const Replica& one) { return one.id == nullptr && !one.is_bound; });
  Publish(now);
  return true;
}

// Nobody has said anything yet.
void InSyncSet::Unbind() {
  has_agreed_ = false;
  for (Replica& replica : replicas_) replica.is_bound = false;
  std::erase_if(replicas_, [](const Replica& one) { return one.id == nullptr; });
}

Lsn InSyncSet::Durable() const {
  if (!settings_.enabled || IsAlone()) return kEverything;
  if (!IsAgreed() || !AnyCounts()) return kept_;
  Lsn durable = kEverything;
  for (const Replica& replica : replicas_) {
    if (replica.counts()) durable = std::min(durable, replica.acknowledged);
  }
  return durable;
}

void InSyncSet::Publish(MonotonicNanos now) {
  if (is_frozen_) return;
  State state{.durable = Durable()};
  const bool counts = IsAgreed() && AnyCounts();
  const bool is_out_of_step =
      std::any_of(replicas_.begin(), replicas_.end(),
                  [](const Replica& replica) { return replica.is_bound && !replica.is_in(); });
  state.in_sync = static_cast<uint32_t>(
      std::count_if(replicas_.begin(), replicas_.end(),
                    [](const Replica& replica) { return replica.stage == Stage::kInSync; }));
  if (settings_.enabled) {
    if (IsAlone()) anything_left_ = true;
    if (counts && !anything_left_) released_ = std::max(released_, state.durable);
    if (counts) kept_ = state.durable;
    state.lacks = state.in_sync < settings_.needed || !IsAgreed();
    if ((!counts && !IsAlone()) || is_out_of_step) {
      state.lost_since = state_.lost_since != 0 ? state_.lost_since : now;
    }
  }
  if (state == state_) return;
  state_ = state;
  on_state_(state);
}

}  // namespace mikura::engine
