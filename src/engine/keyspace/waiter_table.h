// SPDX-License-Identifier: Apache-2.0
// Clients that wait for keys: BLPOP and its kin.
//
// W1. A waiter is one object, with an entry under each of its keys, in the key's shard and under
//     that shard's lock. Looking at the keys and lining up is one critical section over all of
//     them.
// W2. It ends once: whoever changes its state from kWaiting, by compare-and-set, answers it.
// Entries
//     of waiters that have ended are passed over, and removed when their shard is free.
// W3. Whoever changes a key serves its waiters before the locks are released, first come, first
//     served: nobody sees the element that a waiter gets. What is touched by that is served too.
// W4. A waiter that needs the shard of another key as well (BLMOVE) makes whoever is about to touch
//     its key lock that shard too, before anything was changed: AddMissingShards(). If that was not
//     done it is served right after the locks were released, as by a command of its own.
// W5. Nothing here waits. Replies are delivered when the locks have been released.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/keyspace/key_access.h"
#include "engine/keyspace/key_register.h"

namespace mikura::engine {

class Waiter : public std::enable_shared_from_this<Waiter> {
 public:
  enum class State : uint8_t {
    kWaiting,
    kServed,
    kTimedOut,
    kUnblocked,           // CLIENT UNBLOCK
    kUnblockedWithError,  // the same, ERROR
    kRoleChanged,         // the node became a replica
    kGone,                // nobody is there to be answered
  };

  // target: the key that a service changes beside the one it waits for.
  Waiter(int database, std::span<const Key> keys, const Key* target);
  virtual ~Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  State state() const { return state_.load(std::memory_order_acquire); }
  // True when it was waiting until now, and the caller has to see to its answer.
  bool End(State state) {
    State expected = State::kWaiting;
    return state_.compare_exchange_strong(expected, state, std::memory_order_acq_rel);
  }
  int database() const { return database_; }
  std::span<const Key> keys() const { return keys_; }
  const std::optional<Key>& target() const { return target_; }

  // ---- With the shards of `key` and target() locked.
  // Whether `key` holds what it waits for. Changes nothing.
  virtual bool IsReady(KeyAccess& keys, const Key& key) = 0;
  // Takes it, adds the effects, and keeps the reply. Right after IsReady() said so, once.
  virtual void Serve(KeyAccess& keys, const Key& key) = 0;
  // Whether it may be ready when the key is absent (a stream that was removed).
  virtual bool heeds_absence() const { return false; }
  // ---- With nothing locked, on any thread: lets the client have its reply. Does not wait.
  virtual void Deliver() = 0;

 private:
  friend class WaiterTable;

  const int database_;
  std::vector<std::string> names_;
  std::vector<Key> keys_;
  std::optional<Key> target_;
  size_t removed_ = 0;  // of keys_, from the front: their entries are gone
  // Acquire and release publish what the winner wrote to whoever reads the state.
  std::atomic<State> state_{State::kWaiting};
};

using WaiterPtr = std::shared_ptr<Waiter>;  // owners: the client's session, entries, deliveries

// What is to be done when the locks have been released.
struct WaiterServices {
  // A key whose waiters need a shard that was not locked.
  struct Left {
    int database;
    std::string name;
  };
  std::vector<WaiterPtr> served;
  std::vector<Left> left;
  bool empty() const { return served.empty() && left.empty(); }
};

class WaiterTable final : public KeyObserver {
 public:
  explicit WaiterTable(Keyspace& keyspace);

  // The shards of all its keys are locked, and none of them was ready.
  void Add(const WaiterPtr& waiter);
  // `shards` are locked, those of `keys` among them. Adds the shards that waiters for these keys
  // need as well, and their targets' waiters: true when there are any, which means that all have to
  // be locked anew, in order, and this asked again.
  bool AddMissingShards(std::span<const Key> keys, ShardSet& shards);
  // `shards` are locked: serves the waiters of all keys touched since.
  void ServeTouched(const ShardSet& shards, UnixMillis now, Effects& effects,
                    WaiterServices& services);
  // The shards are locked: marks a key as touched.
  void OnTouched(int database, const Key& key) override;
  void OnDatabaseReplaced(uint32_t shard, int database, int replacement,
                          const store::Access& access) override;

  // ---- Nothing is locked.
  // After the waiter has ended: removes its entries, as far as that is possible without waiting,
  // and the rest in a later Tend().
  void Retire(WaiterPtr waiter);
  void Tend();
  // Whether keys of the shard were touched by others than commands (expiry); a hint.
  bool has_touched(uint32_t shard) const {
    return notes_[shard].any.load(std::memory_order_relaxed);
  }

 private:
  struct Note {
    uint64_t order;
    int database;
    std::string name;
    Key key;
  };
  struct Notes {
    std::vector<Note> list;  // guarded by the shard's lock
    std::atomic<bool> any{false};
  };

  std::vector<Note> TakeNotes(const ShardSet& shards);
  void ServeKey(const Note& note, const ShardSet& shards, UnixMillis now, Effects& effects,
                WaiterServices& services);
  bool TryRemove(Waiter& waiter);

  Keyspace& keyspace_;
  KeyRegister<WaiterPtr> register_;
  Notes notes_[kShardCount];
  std::atomic<uint64_t> next_order_{0};      // of notes; only an order among those of one holder
  std::atomic<int64_t> absence_heeders_{0};  // waiting ones; changed before they line up
  Mutex mutex_;
  std::vector<WaiterPtr> retired_ GUARDED_BY(mutex_);
  std::atomic<bool> has_retired_{false};  // publishes nothing but itself
};

}  // namespace mikura::engine
