// SPDX-License-Identifier: Apache-2.0
// Requests of a node that promises something of its replies: that what they tell of is durable, or
// that it is the primary still (event_loop_held.cc, fence.h).
#include <algorithm>

#include "engine/commands/memcached_commands.h"
#include "engine/server/request_batch.h"

namespace mikura::engine {
namespace {

// Rows without keys that see, or change, what is in any shard; EXEC and scripts among them.
constexpr uint32_t kSeesShards = kReadOnly | kMayChange | kLocksItself | kRunsQueue;
constexpr uint32_t kChanges = kMayChange | kLocksItself | kRunsQueue;

}  // namespace

// One after the other by way of Dispatcher::Run(), which looks at the fence.
void RequestBatch::RunGuarded(UnixMillis now) {
  for (Item& item : requests_) {
    runner_ = item.session;
    item.is_checked = false;
    effects_.TakeSeen();
    const bool was_fenced = dispatcher_.IsFenced();
    CommitListener* const listener = effects_.listener();
    if (listener != nullptr) listener->BeforeCommand();
    RunOne(item, now);
    if (listener != nullptr) listener->AfterCommand();
    NoteTold(item, was_fenced);
  }
}

// was_fenced: nothing has run that the fence concerns.
void RequestBatch::NoteTold(const Item& item, bool was_fenced) {
  Lsn lsn = effects_.TakeSeen();
  if (ranges_.empty() || ranges_.back().session != item.session) return;
  const CommandSpec* const row = item.subcommand != nullptr ? item.subcommand : item.command;
  const uint32_t flags = row != nullptr ? row->flags : 0;
  const bool is_memcached = item.memcached >= 0;
  const bool sees_any_shard = item.keys_count == 0 && (is_memcached || (flags & kSeesShards) != 0);
  const bool was_refused = was_fenced && dispatcher_.fences_reads();
  if (sees_any_shard && !was_refused) lsn = keyspace_.change_log().head();
  told_.resize(ranges_.size());
  Told& told = told_.back();
  told.lsn = std::max(told.lsn, lsn);
  if (was_fenced) return;
  told.is_state |= sees_any_shard || item.keys_count > 0;
  told.is_change |= is_memcached
                        ? DemandOf(memcached_requests_[static_cast<size_t>(item.memcached)]).writes
                        : (flags & kChanges) != 0;
}

// Of what was written before the node began to promise anything: all there is.
RequestBatch::Told RequestBatch::ToldIn(size_t index) const {
  if (index < told_.size()) return told_[index];
  return {keyspace_.change_log().head(), true, true};
}

}  // namespace mikura::engine
