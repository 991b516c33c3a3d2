// SPDX-License-Identifier: Apache-2.0
// The replicas that a primary with `durability sync` waits for, and up to where all of them have
// its log.
//
//   catching up -> (joining ->) in sync -> catching up
//
// S1. A reply leaves when every replica that counts (joining or in sync) has acknowledged what it
//     tells of: then any replica that is in sync has all that was ever shown.
// S2. One joins when it has acknowledged all that left without it. While no replica counts, and the
//     settings let the node go on alone, anything may leave: then it counts first, and is in sync
//     when it has what had been logged by that moment.
// S3. Leaving the set is explicit: the replica went, or it was behind for longer than lag_max. It
// is
//     logged, and whoever waits looks again.
// S4. While fewer than `needed` are in sync, writes are refused (on_state). With none that counts,
//     nothing more becomes durable.
// S5. With needs_agreement somebody outside (the agent, in its store) keeps the set from which the
//     next primary is elected. Who may be in that set counts, in step or not, connected or not,
//     until it is said that the set holds it no more: else a new primary could lack what was shown.
//     Before the first word in an epoch nothing becomes durable.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "engine/keyspace/log_chunk.h"

namespace mikura::engine {

class InSyncSet {
 public:
  struct Settings {
    bool enabled = false;
    std::chrono::milliseconds lag_max{2000};
    uint32_t needed = 1;  // 0: without any the node goes on alone
    bool needs_agreement = false;
  };
  // Who is to be in the set, by name, the primary apart; the version changes with it.
  struct Wanted {
    uint64_t version = 0;
    std::vector<std::string> names;
  };
  struct State {
    Lsn durable = 0;       // kEverything: nothing waits
    uint32_t in_sync = 0;  // replicas
    bool lacks = false;    // fewer than are needed
    // Since then nothing can become durable: no replica counts and one is needed, or one counts
    // that is out of step; 0: not so.
    MonotonicNanos lost_since = 0;

    bool operator==(const State&) const = default;
  };
  static constexpr Lsn kEverything = INT64_MAX;
  using Listener = std::function<void(const State&)>;
  using Id = const void*;

  // log_end: behind the last record that is logged, from any thread. on_state: called in order,
  // with this locked, when anything of the state has changed.
  InSyncSet(std::function<Lsn()> log_end, Listener on_state);

  // Whenever the settings change, and when the node's role does. begins_epoch: it became a primary;
  // what its replicas said in another epoch means nothing, and what it holds itself may have been
  // acknowledged by nobody, or shown by the primary before it.
  void Configure(const Settings& settings, MonotonicNanos now, bool begins_epoch = false)
      EXCLUDES(mutex_);
  bool is_enabled() const EXCLUDES(mutex_);

  // ---- Replicas. `acknowledged`: what a replica says that it has.
  void Add(Id replica, const std::string& name, Lsn acknowledged, MonotonicNanos now)
      EXCLUDES(mutex_);
  void Acknowledge(Id replica, Lsn acknowledged, MonotonicNanos now) EXCLUDES(mutex_);
  void Remove(Id replica, MonotonicNanos now) EXCLUDES(mutex_);
  bool IsInSync(Id replica) const EXCLUDES(mutex_);

  // Somebody waits for all before log_end(): who does not have it is behind from now on. False: it
  // is not for replicas that he waits.
  bool NoteDemand(MonotonicNanos now) EXCLUDES(mutex_);
  // Drops those that are behind for too long.
  void Tick(MonotonicNanos now) EXCLUDES(mutex_);

  // The node is about to follow another one: what is durable stays as it is, whatever replicas do,
  // until Configure().
  void Freeze() EXCLUDES(mutex_);

  // ---- S5.
  Wanted wanted() const EXCLUDES(mutex_);
  // The set that is kept outside is `names` now, as was wanted with that version; with any version
  // to begin with. False: nobody has to agree.
  bool Agree(uint64_t version, const std::vector<std::string>& names, MonotonicNanos now)
      EXCLUDES(mutex_);

  State state() const EXCLUDES(mutex_);

 private:
  enum class Stage : uint8_t { kCatchingUp, kJoining, kInSync };
  struct Replica {
    Id id = nullptr;  // null: it is not connected, but may be in the set
    std::string name;
    Stage stage = Stage::kCatchingUp;
    Lsn acknowledged = 0;
    Lsn target = 0;  // having that ends the stage
    // It has lacked something since then (0: nothing is known to be lacking): all before
    // `behind_target`.
    MonotonicNanos behind_since = 0;
    Lsn behind_target = 0;
    bool is_bound = false;      // may be in the set that is kept outside
    uint64_t left_version = 0;  // of what is wanted, since when it is not

    bool is_in() const { return stage != Stage::kCatchingUp; }
    bool counts() const { return is_in() || is_bound; }
  };

  Replica* Find(Id id) REQUIRES(mutex_);
  Replica* FindByName(const std::string& name) REQUIRES(mutex_);
  void CatchUp(Replica& replica) REQUIRES(mutex_);
  void EnterStage(Replica& replica, Stage stage) REQUIRES(mutex_);
  void Unbind() REQUIRES(mutex_);
  bool IsAgreed() const REQUIRES(mutex_) { return !settings_.needs_agreement || has_agreed_; }
  // Nothing waits for anybody.
  bool IsAlone() const REQUIRES(mutex_) {
    return settings_.needed == 0 && IsAgreed() && !AnyCounts();
  }
  void BeginEpoch() REQUIRES(mutex_);
  void Promote(Replica& replica) REQUIRES(mutex_);
  void Enter(Replica& replica) REQUIRES(mutex_);
  void NoteBehind(MonotonicNanos now) REQUIRES(mutex_);
  bool AnyCounts() const REQUIRES(mutex_);
  Lsn Durable() const REQUIRES(mutex_);
  void Publish(MonotonicNanos now) REQUIRES(mutex_);

  const std::function<Lsn()> log_end_;
  const Listener on_state_;
  mutable Mutex mutex_;
  Settings settings_ GUARDED_BY(mutex_);
  bool is_frozen_ GUARDED_BY(mutex_) = false;
  std::vector<Replica> replicas_ GUARDED_BY(mutex_);
  uint64_t wanted_version_ GUARDED_BY(mutex_) = 0;
  bool has_agreed_ GUARDED_BY(mutex_) = false;  // somebody, in this epoch
  // No reply that told of more than this has left, unless anything may have left.
  Lsn released_ GUARDED_BY(mutex_) = 0;
  bool anything_left_ GUARDED_BY(mutex_) = true;
  Lsn kept_ GUARDED_BY(mutex_) = 0;  // what is durable while no replica counts
  State state_ GUARDED_BY(mutex_) = {.durable = kEverything};
};

}  // namespace mikura::engine
