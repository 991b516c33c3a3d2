// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/transaction.h"

#include <algorithm>

#include "engine/commands/client_state.h"
#include "engine/commands/command_keys.h"

namespace mikura::engine {

bool VisitsAllShards(const CommandSpec& spec) {
  if ((spec.flags & (kLocksItself | kTakesToken)) != 0) return true;
  return !spec.may_have_keys() && (spec.acl & kAclKeyspace) != 0;
}

bool QueuedCommand::needs_all_shards() const {
  return VisitsAllShards(*spec) || spec->ReadsUnnamedKeys(args);
}

bool QueuedCommand::runs_unlocked() const {
  if (spec->may_have_keys() || needs_all_shards()) return false;
  if (spec->parent == "SLOWLOG") return false;  // its place among the others is seen in the log
  if ((spec->flags & kAdmin) != 0) return true;
  return spec->group != "connection" && spec->group != "pubsub" && spec->group != "transactions" &&
         spec->group != "scripting";
}

void Transaction::Queue(const CommandSpec& spec, std::span<const std::string_view> args,
                        bool never_writes) {
  QueuedCommand& command = commands_.emplace_back();
  command.spec = &spec;
  size_t size = 0;
  for (const std::string_view word : args) size += word.size();
  command.bytes = std::make_unique_for_overwrite<char[]>(size);
  command.args.reserve(args.size());
  char* end = command.bytes.get();
  for (const std::string_view word : args) {
    command.args.emplace_back(end, word.size());
    end = std::copy(word.begin(), word.end(), end);
  }
  if (spec.may_have_keys()) {
    FindKeys(spec, command.args, keyspace_.hasher(), places_, command.keys);
  }
  flags_ |= never_writes ? spec.flags & ~kMayReplicate : spec.flags;
  common_flags_ &= spec.flags;
  word_bytes_ += size;
  memory_bytes_ += size + sizeof(QueuedCommand) + args.size() * sizeof(std::string_view) +
                   command.keys.capacity() * sizeof(Key);
}

Watcher& Transaction::watcher() {
  if (watcher_ == nullptr) watcher_ = std::make_unique<Watcher>();
  return *watcher_;
}

void Transaction::Unwatch() {
  if (watcher_ != nullptr) keyspace_.watches().Retire(std::move(watcher_));
}

void Transaction::UnwatchLocked() {
  if (watcher_ == nullptr) return;
  keyspace_.watches().Remove(*watcher_);
  watcher_.reset();
}

Transaction& TransactionOf(ClientState& client, Keyspace& keyspace) {
  if (!client.transaction) client.transaction.set(std::make_shared<Transaction>(keyspace));
  return *client.transaction;
}

void DiscardTransaction(ClientState& client) {
  client.in_multi = false;
  client.transaction.reset();
}

}  // namespace mikura::engine
