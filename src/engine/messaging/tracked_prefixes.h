// SPDX-License-Identifier: Apache-2.0
// Which clients want to hear of every change of keys that begin with a prefix, and what they have
// still to be told.
//
// Two levels, as with channels: a table that all threads share says on which loops a prefix has
// clients; each loop knows which they are, and gathers the keys that changed until its turn ends.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/thread_index.h"
#include "engine/keyspace/keyspace.h"
#include "engine/messaging/delivery_queues.h"

namespace mikura::engine {

class TrackedPrefixes final : public KeyObserver {
 public:
  // writer: the client whose command runs on this thread; 0: none.
  TrackedPrefixes(Keyspace& keyspace, DeliveryQueues& queues, std::function<uint64_t()> writer);
  ~TrackedPrefixes() override;

  // ---- On the thread of the client's loop. The caller sees to it that it has the prefix not yet,
  // or has it.
  void Add(Receiver& client, const std::string& prefix);
  void Remove(Receiver& client, const std::string& prefix);

  bool HasChanges(uint32_t loop) const { return !loops_[loop].changes.empty(); }
  // Forgets what the clients of the loop have to be told, and calls tell(client, keys) for each:
  // keys in order, by prefix.
  using Tell = std::function<void(Receiver& client, const Message::Ref& keys)>;
  void TellChanges(uint32_t loop, const Tell& tell);

  uint64_t prefix_count() const { return count_.load(std::memory_order_relaxed); }

  // KeyObserver
  void OnTouched(int database, const Key& key) override;

 private:
  friend class PrefixDelivery;
  // Shared by the table and by what is on its way.
  struct Prefix {
    Prefix(std::string_view name, uint32_t loop_count)
        : text(name), counts(new std::atomic<uint32_t>[loop_count]()) {}
    const std::string text;
    const std::unique_ptr<std::atomic<uint32_t>[]> counts;  // clients by loop; relaxed
    uint64_t total = 0;                                     // guarded by the table's lock
  };
  using Prefixes = std::vector<std::shared_ptr<const Prefix>>;
  // The key, and who changed it last.
  using Changes = std::map<std::string, uint64_t>;
  struct alignas(64) Loop {
    std::map<std::string, std::vector<Receiver*>> clients;
    std::map<std::string, Changes> changes;
  };
  // What one thread compares keys with.
  struct alignas(64) Reader {
    uint64_t version = 0;
    std::shared_ptr<const Prefixes> list;
  };

  void Change(std::string_view prefix, uint32_t loop, bool add);
  const Prefixes& List();
  void NoteChange(uint32_t loop, const Prefixes& prefixes, const std::string& key, uint64_t writer);

  Keyspace& keyspace_;
  DeliveryQueues& queues_;
  const std::function<uint64_t()> writer_;
  mutable Mutex mutex_;  // a leaf
  std::map<std::string, std::shared_ptr<Prefix>, std::less<>> prefixes_ GUARDED_BY(mutex_);
  std::shared_ptr<const Prefixes> list_ GUARDED_BY(mutex_);
  // Of list_; whoever sees another one than its own takes the lock and the list.
  std::atomic<uint64_t> version_{0};
  std::atomic<uint64_t> count_{0};
  std::unique_ptr<Reader[]> readers_;  // by thread
  std::vector<Loop> loops_;
};

}  // namespace mikura::engine
