// SPDX-License-Identifier: Apache-2.0
// What a client has queued since MULTI, and what it watches. Belongs to its session's thread.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/commands/command_spec.h"
#include "engine/keyspace/watch_table.h"

namespace mikura::engine {

struct ClientState;

// Whether the command may visit any shard: it names no keys, and is about data; or it is a script.
bool VisitsAllShards(const CommandSpec& spec);

// A request that waits for EXEC, with memory of its own.
struct QueuedCommand {
  const CommandSpec* spec = nullptr;
  std::unique_ptr<char[]> bytes;  // the words, one behind the other
  std::vector<std::string_view> args;
  std::vector<Key> keys;

  bool needs_all_shards() const;
  // Whether it concerns the node rather than its data or the connection (INFO, CONFIG SET,
  // REPLICAOF, DEBUG): that may take locks of all kinds, so it runs when the shards of the
  // transaction have been released.
  bool runs_unlocked() const;
};

class Transaction {
 public:
  explicit Transaction(Keyspace& keyspace) : keyspace_(keyspace) {}
  ~Transaction() { Unwatch(); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // ---- The queue: from MULTI up to EXEC or DISCARD.
  // never_writes: of a command that may write by its row, and does not with these words.
  void Queue(const CommandSpec& spec, std::span<const std::string_view> args, bool never_writes);
  const std::vector<QueuedCommand>& commands() const { return commands_; }
  // What holds for a row with `flags` that runs the queue: it writes if one of them does, and may
  // run in a state of the node if all may.
  uint32_t FlagsWith(uint32_t flags) const {
    constexpr uint32_t kAllMust = kLoadingOk | kStaleOk;
    return ((flags | flags_) & ~kAllMust) | (flags & common_flags_ & kAllMust);
  }
  // Something could not be queued: EXEC will refuse.
  void MarkFaulty() { faulty_ = true; }
  bool is_faulty() const { return faulty_; }
  // Bytes that the client made us keep: the queued words, and what is watched.
  size_t kept_bytes() const { return word_bytes_ + watch_bytes(); }
  // All that is held for it.
  size_t memory_bytes() const { return memory_bytes_ + watch_bytes(); }

  // ---- What is watched.
  Watcher& watcher();  // made if need be
  // Null when nothing is watched.
  const Watcher* watching() const { return watcher_.get(); }
  void Unwatch();
  // The same with the shards of all watched keys locked.
  void UnwatchLocked();

 private:
  size_t watch_bytes() const { return watcher_ != nullptr ? watcher_->memory_bytes() : 0; }

  Keyspace& keyspace_;
  std::vector<QueuedCommand> commands_;
  std::vector<KeyPlace> places_;  // scratch
  uint32_t flags_ = 0;            // of all queued rows together
  uint32_t common_flags_ = ~0U;   // that all of them have
  bool faulty_ = false;
  size_t word_bytes_ = 0;
  size_t memory_bytes_ = 0;
  std::unique_ptr<Watcher> watcher_;
};

// The client's transaction, made when it has none.
Transaction& TransactionOf(ClientState& client, Keyspace& keyspace);
// Leaves MULTI, and watches nothing any more: DISCARD, RESET.
void DiscardTransaction(ClientState& client);

}  // namespace mikura::engine
