// SPDX-License-Identifier: Apache-2.0
// The in-sync set as the agent keeps it in its store: what it is asked for, and what it says.
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/numbers.h"
#include "engine/server/admin_server.h"

namespace mikura::engine {

// The highest epoch seen, the version of what is wanted, and its names.
void AdminServer::TellInSync(wire::RespWriter& reply) const {
  const InSyncSet::Wanted wanted = parts_.replication.in_sync().wanted();
  reply.Array(2 + wanted.names.size());
  reply.Integer(epoch_);
  reply.Integer(static_cast<int64_t>(wanted.version));
  for (const std::string& name : wanted.names) reply.Bulk(name);
}

void AdminServer::AgreeInSync(const Words& words, wire::RespWriter& reply) {
  const auto epoch = ParseInt64(words[2]);
  const auto version = ParseUint64(words[3]);
  if (!epoch || *epoch < 0 || !version) {
    reply.Error("ERR", "the epoch or the version is not a number in range");
    return;
  }
  if (IsStale(*epoch, reply)) return;
  const std::vector<std::string> names(words.begin() + 4, words.end());
  // Of an epoch that this node has not come to yet: that is another primary's set.
  const bool is_of_now =
      *epoch == epoch_ && !parts_.node.is_replica.load(std::memory_order_relaxed);
  const MonotonicNanos now = SystemClock().NowNanos();
  if (!is_of_now || !parts_.replication.in_sync().Agree(*version, names, now)) {
    reply.Error("ERR",
                "nobody has to agree: this is no primary of that epoch with "
                "in-sync-agreement and durability sync");
    return;
  }
  reply.Ok();
}

}  // namespace mikura::engine
