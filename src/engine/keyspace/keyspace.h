// SPDX-License-Identifier: Apache-2.0
// All shards and their locks: taking one, several or all of them.
//
// The order in which locks may be taken, and why, is in lock_order.md beside this file.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "engine/keyspace/change_log.h"
#include "engine/keyspace/effects.h"
#include "engine/keyspace/evictor.h"
#include "engine/keyspace/held_shards.h"
#include "engine/keyspace/key_events.h"
#include "engine/keyspace/reclaimer.h"
#include "engine/keyspace/script_token.h"
#include "engine/keyspace/shard_lock.h"
#include "engine/store/defragmentation.h"
#include "engine/store/shard.h"

namespace mikura::engine {

class OwnDeadlines;
class WaiterTable;
class WatchTable;
struct WaiterServices;

// Sees entries that the engine removes by itself, under the lock of their shard: it counts, and
// does nothing that waits.
class RemovalObserver {
 public:
  virtual ~RemovalObserver() = default;
  virtual void OnExpiredEntry(const store::Entry& entry, bool in_background) = 0;
  virtual void OnEvictedEntry(int database, const store::Entry& entry) = 0;
};

class Keyspace final : public store::RemovalListener {
 public:
  struct Options {
    int database_count = 16;
    uint64_t hash_seed = 0;
  };

  static Result<std::unique_ptr<Keyspace>> Create(const Options& options);
  ~Keyspace() override;

  const KeyHasher& hasher() const { return hasher_; }
  int database_count() const { return options_.database_count; }
  ChangeLog& change_log() { return change_log_; }

  // ---- One shard. Wrapped by ShardGuard.
  ShardLock& lock(uint32_t index) { return cells_[index].lock; }
  // The shard itself; the caller holds its lock (checked in debug builds).
  store::Shard& LockedShard(uint32_t index) { return *cells_[index].shard; }
  // For prefetch hints and relaxed counts, no lock needed.
  const store::Shard& UnlockedShard(uint32_t index) const { return *cells_[index].shard; }
  // Begins to load what taking the shard's lock writes and what a lookup in `database` reads first.
  void PrefetchShard(uint32_t index, int database) const {
    __builtin_prefetch(&cells_[index].lock, 1);
    cells_[index].shard->PrefetchTable(database);
  }

  // Loads what commands on these keys read first, so that the waits for memory overlap. Takes no
  // lock: hints.
  void LoadAhead(int database, std::span<const Key> keys) const;

  // ---- Several or all shards.
  // The token of scripts, and of whoever visits all shards: taken before any shard.
  // How long a request waits for its shards before it is put aside.
  static constexpr auto kPatience = std::chrono::milliseconds(1);
  ScriptToken& script_token() { return script_token_; }
  // In ascending order. Who has the token gets them one by one; everybody else lets go of all when
  // one is not to be had soon, and takes the token after some tries.
  void LockShards(const ShardSet& shards) NO_THREAD_SAFETY_ANALYSIS;
  // The same for some milliseconds at most: false when they were not to be had.
  bool LockShardsFor(const ShardSet& shards,
                     std::chrono::microseconds patience) NO_THREAD_SAFETY_ANALYSIS;
  void UnlockShards(const ShardSet& shards) NO_THREAD_SAFETY_ANALYSIS;
  // Runs `critical` with every shard locked: the gate. `held`: all of them, or none.
  void WithGate(HeldShards held, const std::function<void()>& critical);
  // Runs `visit` for each shard in turn, one lock at a time.
  void ForEachShard(HeldShards held,
                    const std::function<void(uint32_t index, store::Shard& shard)>& visit);

  // Runs one command under the locks of its shards: what `run` adds to `effects` gets its place in
  // the change log before they are unlocked, and so does what clients get that wait for its keys.
  // Returns what `run` returns. The only order in which a command locks, logs and unlocks.
  template <typename Run>
  auto RunLocked(const Key& key, UnixMillis now, Effects& effects,
                 const Run& run) NO_THREAD_SAFETY_ANALYSIS {
    lock(key.shard()).Lock();
    return RunHeld(key, now, effects, run);
  }
  // RunLocked() in a shard that is locked already; unlocks it.
  template <typename Run>
  auto RunHeld(const Key& key, UnixMillis now, Effects& effects,
               const Run& run) NO_THREAD_SAFETY_ANALYSIS {
    const uint32_t shard = key.shard();
    ShardLock& held = lock(shard);
    if (IsObserved(shard, KeyObserverKind::kWaiters)) [[unlikely]] {
      return RunAmongWaiters(ShardSet().set(shard), {&key, 1}, now, effects, run);
    }
    effects.Begin(change_log_.active());
    auto outcome = run();
    Commit(effects, shard);
    held.Unlock();
    return outcome;
  }
  // keys: all that the command may change, in these shards; not needed with all shards.
  template <typename Run>
  auto RunLocked(const ShardSet& shards, std::span<const Key> keys, UnixMillis now,
                 Effects& effects, const Run& run) NO_THREAD_SAFETY_ANALYSIS {
    LockShards(shards);
    return RunHeld(shards, keys, now, effects, run);
  }
  template <typename Run>
  auto RunHeld(const ShardSet& shards, std::span<const Key> keys, UnixMillis now, Effects& effects,
               const Run& run) NO_THREAD_SAFETY_ANALYSIS {
    if (HasWaiters(shards)) [[unlikely]]
      return RunAmongWaiters(shards, keys, now, effects, run);
    effects.Begin(change_log_.active());
    auto outcome = run();
    Commit(effects, shards);
    UnlockShards(shards);
    return outcome;
  }
  // What follows a run in locked shards: logs the effects, serves waiters, unlocks.
  void CommitAndServe(const ShardSet& shards, UnixMillis now,
                      Effects& effects) NO_THREAD_SAFETY_ANALYSIS;
  // Serves the waiters of keys that were touched by others than commands. Nothing is locked.
  void ServeTouched(uint32_t shard, UnixMillis now, Effects& effects);
  WaiterTable& waiters() { return *waiters_; }

  // Appends what `effects` holds to the change log, and notes in it up to where the log tells of
  // these shards. They are still locked: all that the command has seen.
  void Commit(Effects& effects, uint32_t shard) {
    if (effects.is_logged()) [[unlikely]]
      CommitLogged(effects, shard);
  }
  void Commit(Effects& effects, const ShardSet& shards) {
    if (effects.is_logged()) [[unlikely]]
      CommitLogged(effects, shards);
  }
  // The same for what changes no key (PUBLISH).
  void CommitWithoutKeys(Effects& effects);
  // From now on all shards count as changed at `lsn`. All shards are locked.
  void MarkAllChanged(Lsn lsn);

  // ---- Whole databases (all shards locked inside, for some hundred microseconds). Few keys are
  // freed before these return, many by the reclaimer afterwards. Each logs its own effect, through
  // `effects`, inside the gate; or only adds it, when all shards are held already.
  // now: keys that have expired by then are not there for those who watch them.
  void FlushDatabase(int database, Effects& effects, UnixMillis now = 0, HeldShards held = {});
  void FlushAll(Effects& effects, UnixMillis now = 0, HeldShards held = {});
  void SwapDatabases(int a, int b, Effects& effects, UnixMillis now = 0, HeldShards held = {});

  // ---- Counts, without locks: each shard's own relaxed counters, summed.
  uint64_t KeyCount(int database) const;
  uint64_t VolatileKeyCount(int database) const;
  uint64_t UsedBytes() const;
  // Memory of the buckets and wheels of a database, of the region that is resident, and so on.
  uint64_t TableBytes(int database) const;
  uint64_t ExpiryBytes(int database) const;
  const Reclaimer& reclaimer() const { return reclaimer_; }
  const store::SlabAllocator& allocator() const { return *allocator_; }
  store::SlabAllocator& allocator() { return *allocator_; }
  // Bytes of slots and of whatever others add to the gauge. See MemoryGauge.
  store::MemoryGauge& gauge() { return gauge_; }
  const store::MemoryGauge& gauge() const { return gauge_; }
  // The most that the gauge has shown, as of some tens of milliseconds ago.
  int64_t peak_bytes() const { return peak_bytes_.load(std::memory_order_relaxed); }
  uint64_t ExpiredTotal() const;
  uint64_t EvictedTotal() const;

  // ---- The memory limit. Called with nothing held, before a command that needs memory.
  Evictor& evictor() { return *evictor_; }
  const Evictor& evictor() const { return *evictor_; }
  // Makes room for a request of these words under `limit_bytes` (0: no limit), by the policy. False
  // when memory is above the limit and nothing more may be evicted, or not now. One relaxed load
  // below the limit.
  bool MakeRoom(uint64_t limit_bytes, std::span<const std::string_view> words, UnixMillis now) {
    if (limit_bytes == 0) [[likely]]
      return true;
    uint64_t wanted_bytes = 0;
    for (const std::string_view word : words) wanted_bytes += word.size();
    const bool fits = UsedBytesNearly() + wanted_bytes <= limit_bytes;
    if (fits && limit_bytes >= Evictor::kLimitBytesMin) return true;
    return evictor_->MakeRoom(limit_bytes, wanted_bytes, now);
  }

  // False on a replica, where only the primary removes expired keys, while clients are paused, and
  // on a node that may not be the primary any more.
  bool may_expire() const { return keeps_expired_.load(std::memory_order_relaxed) == 0; }
  void set_may_expire(bool value) { SetKeepsExpired(kIsReplica, !value); }
  void set_paused(bool value) { SetKeepsExpired(kIsPaused, value); }
  void set_fenced(bool value) { SetKeepsExpired(kIsFenced, value); }
  // While snapshots hold back as much as they may, nothing is changed in the background: it would
  // be handed over to them.
  void set_held_up(bool value) { SetKeepsExpired(kIsHeldUp, value); }
  // While records are executed that say themselves what is removed.
  void set_loading(bool value) { SetKeepsExpired(kIsLoading, value); }
  // On a replica: the keys to which its own clients gave deadlines are its own affair.
  bool may_expire_own() const {
    return keeps_expired_.load(std::memory_order_relaxed) == kIsReplica;
  }
  OwnDeadlines& own_deadlines() { return *own_deadlines_; }
  const OwnDeadlines& own_deadlines() const { return *own_deadlines_; }
  // counts_use: false for clients that asked not to touch what they read.
  store::Access AccessAt(UnixMillis now, bool counts_use = true) const {
    return {now, may_expire(), counts_use, tracking()};
  }
  // What a use of a key writes; set by the evictor, with the policy.
  store::AccessTracking tracking() const {
    return store::AccessTracking(tracking_.load(std::memory_order_relaxed));
  }
  // Unless something is tracked already.
  void BeginTracking(store::AccessTracking tracking) {
    uint64_t nothing = store::AccessTracking().word();
    tracking_.compare_exchange_strong(nothing, tracking.word(), std::memory_order_relaxed);
  }
  void set_tracking(store::AccessTracking tracking) {
    tracking_.store(tracking.word(), std::memory_order_relaxed);
  }

  // Gives all free memory back to the machine now; what other threads have in their caches follows
  // within one of their turns of maintenance. Returns the bytes of the region. No lock is held;
  // about 0.1 ms for each megabyte.
  size_t ReturnFreeMemory();

  // activedefrag: whether entries are moved out of sparse spans. A pass that runs goes on.
  void set_defragments(bool value) { defragmentation_.set_enabled(value); }
  bool is_defragmenting() const { return defragmentation_.pass() != 0; }

  // Background work (resizing, moving entries) of shards [first, first + count), wrapping: at most
  // some microseconds for each. Whether there is more to do for any that was free. For the time
  // between requests; expiry has turns of its own: engine/keyspace/expiry_job.h.
  bool MaintainShards(uint32_t first, uint32_t count);
  // What each thread does now and then besides; one of them gives memory back (`tends_memory`).
  void Maintain(bool tends_memory, UnixMillis now);

  // store::RemovalListener: logs a DEL for an expired key, before the effects of the running
  // command.
  void OnExpired(int database, const Key& key, const store::Entry& entry,
                 bool in_background) override;
  void OnEvicted(int database, const Key& key, const store::Entry& entry) override;
  // Removes due fields of a hash, with an HDEL in the change log (field_expiry.cc).
  size_t OnElementsDue(int database, const Key& key, UnixMillis now, size_t limit) override;

  // Told of entries that went without a command. Set once, before any thread touches keys; null:
  // nobody.
  void SetRemovalObserver(RemovalObserver* observer) { removal_observer_ = observer; }

  // ---- Keys' observers (key_events.h). Set once, before any thread touches keys.
  void SetKeyObserver(KeyObserverKind kind, KeyObserver* observer) {
    key_observers_[static_cast<int>(kind)] = observer;
  }
  // Whether the observer wants to hear of the shard's keys. The shard is locked; without its lock,
  // changes that are being made at the time may be missed.
  void SetObserved(uint32_t shard, KeyObserverKind kind, bool value) {
    std::atomic<uint8_t>& observed = cells_[shard].observed;
    const auto bit = static_cast<uint8_t>(1u << static_cast<int>(kind));
    if (value) {
      observed.fetch_or(bit);
    } else {
      observed.fetch_and(static_cast<uint8_t>(~bit));
    }
  }
  bool IsObserved(uint32_t shard, KeyObserverKind kind) const {
    return (observed(shard) >> static_cast<int>(kind) & 1) != 0;
  }
  // A key of a locked shard changed, or went.
  void Touched(int database, const Key& key) {
    if (observed(key.shard()) != 0) [[unlikely]]
      TellObservers(database, key);
  }

  // A command changed a key of this locked shard, and the count of all that since the start, with
  // the keys that flushes removed.
  void CountChange(uint32_t shard) {
    std::atomic<uint64_t>& changes = cells_[shard].changes;
    changes.store(changes.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  uint64_t ChangeCount() const;

  WatchTable& watches() { return *watches_; }

  // ---- Keyspace notifications. The sink: set once. The mask: bits of EventClass, at any time.
  void SetEventSink(KeyEventSink* sink) { event_sink_ = sink; }
  void set_event_mask(uint32_t mask) { event_mask_.store(mask, std::memory_order_relaxed); }
  // False: such an event need not be looked for.
  bool ListensTo(EventClass event_class) const {
    return (event_mask_.load(std::memory_order_relaxed) & static_cast<uint32_t>(event_class)) != 0;
  }
  // The key's shard is locked.
  void Notify(EventClass event_class, std::string_view event, int database, const Key& key) {
    if (ListensTo(event_class)) [[unlikely]] {
      event_sink_->OnEvent(event_class, event, database, key);
    }
  }

 private:
  enum ExpiredKeeper : uint8_t {
    kIsReplica = 1,
    kIsPaused = 2,
    kIsFenced = 4,
    kIsLoading = 8,
    kIsHeldUp = 16
  };
  bool is_held_up() const {
    return (keeps_expired_.load(std::memory_order_relaxed) & kIsHeldUp) != 0;
  }
  void SetKeepsExpired(ExpiredKeeper bit, bool value) {
    if (value) {
      keeps_expired_.fetch_or(bit, std::memory_order_relaxed);
    } else {
      keeps_expired_.fetch_and(static_cast<uint8_t>(~bit), std::memory_order_relaxed);
    }
  }
  struct Cell {
    ShardLock lock;
    // Bits of KeyObserverKind, on the lock's cache line; relaxed: the lock orders them.
    std::atomic<uint8_t> observed{0};
    std::atomic<uint64_t> changes{0};   // by commands; written under the lock, read by statistics
    std::optional<store::Shard> shard;  // made once, in the constructor
    store::DefragmentationProgress defragmentation;
    // Behind the last record about the shard; guarded by its lock. Kept while the log is read.
    Lsn last_lsn = 0;
  };
  uint8_t observed(uint32_t shard) const {
    return cells_[shard].observed.load(std::memory_order_relaxed);
  }
  void TellOfFlush();
  bool DefragmentStep(Cell& cell);
  void RunAtGate(HeldShards held, UnixMillis now, Effects& effects,
                 const std::function<void()>& critical);
  // Of these locked shards.
  bool HasWaiters(const ShardSet& shards) const;
  // RunLocked() in shards that are locked, and with waiters in some of them.
  template <typename Run>
  auto RunAmongWaiters(ShardSet shards, std::span<const Key> keys, UnixMillis now, Effects& effects,
                       const Run& run) NO_THREAD_SAFETY_ANALYSIS {
    LockForWaiters(keys, shards);
    effects.Begin(change_log_.active());
    auto outcome = run();
    CommitAndServe(shards, now, effects);
    return outcome;
  }
  void LockForWaiters(std::span<const Key> keys, ShardSet& shards) NO_THREAD_SAFETY_ANALYSIS;
  bool TryCollect(const ShardSet& shards) NO_THREAD_SAFETY_ANALYSIS;
  void LockInOrder(const ShardSet& shards) NO_THREAD_SAFETY_ANALYSIS;
  // Of databases [first, end).
  void TellOfReplacement(int first, int end, int replacement, UnixMillis now);
  void FreeDetached(HeldShards held, Reclaimer::Tables tables);
  void TendMemory(UnixMillis now);
  void ReturnSomeMemory();

  Keyspace(const Options& options, std::unique_ptr<store::SlabAllocator> allocator);

  uint64_t UsedBytesNearly() const {
    return static_cast<uint64_t>(std::max<int64_t>(0, gauge_.used_bytes()));
  }
  template <typename CountOf>
  uint64_t SumOverShards(const CountOf& count_of) const;
  void LogRemoval(int database, const Key& key);
  void CommitLogged(Effects& effects, uint32_t shard);
  void CommitLogged(Effects& effects, const ShardSet& shards);
  void TellObservers(int database, const Key& key);

  Options options_;
  KeyHasher hasher_;
  ChangeLog change_log_;
  std::unique_ptr<store::SlabAllocator> allocator_;
  store::MemoryGauge& gauge_;  // the allocator's
  store::Defragmentation defragmentation_;
  std::unique_ptr<Cell[]> cells_;
  ScriptToken script_token_;
  bool collector_has_token_ = false;  // LockShards took it; guarded by the token
  // Publishes the node's role to every thread that touches keys; a stale read hides or deletes one
  // expired key more, which both roles tolerate.
  std::atomic<uint8_t> keeps_expired_{0};  // bits of ExpiredKeeper
  // Publishes AccessTracking::word to every thread that touches keys.
  std::atomic<uint64_t> tracking_{0};
  // Behind the shards: its queues are what they tell of their keys.
  std::unique_ptr<Evictor> evictor_;
  RemovalObserver* removal_observer_ = nullptr;
  KeyObserver* key_observers_[kKeyObserverKinds] = {};
  std::unique_ptr<WatchTable> watches_;
  std::unique_ptr<WaiterTable> waiters_;
  std::unique_ptr<OwnDeadlines> own_deadlines_;
  KeyEventSink* event_sink_ = nullptr;
  std::atomic<uint32_t> event_mask_{0};    // publishes nothing but itself
  std::atomic<uint64_t> flushed_keys_{0};  // publishes nothing but itself, to statistics
  std::atomic<int64_t> peak_bytes_{0};     // publishes nothing but itself, to statistics
  UnixMillis next_malloc_look_ = 0;        // of the thread that tends memory
  // Publishes nothing but itself, to the reclaimer's thread.
  std::atomic<bool> wants_malloc_look_{false};
  // The last: its thread uses the allocator.
  Reclaimer reclaimer_{[this] { ReturnFreeMemory(); }, [this] { ReturnSomeMemory(); }};
};

}  // namespace mikura::engine
