// SPDX-License-Identifier: Apache-2.0
// What one MIGRATE does after its client has begun to wait: on a thread of its own kind, with a
// connection of its own.
//
// M1. No shard is locked while anything waits for the network. A key's shard is locked twice: to
//     take its value, and to remove the key after the target has it.
// M2. A key is removed only if it was not touched in between; one that was is sent again, in place
//     of the copy that the target has by then. After some tries it stays, and the client is told.
// M3. Memory: the payloads of one batch at a time.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "engine/commands/blocking.h"
#include "engine/keyspace/watch_table.h"
#include "engine/replication/link_socket.h"

namespace mikura::engine {

struct MigrationPlan {
  std::string host;
  int port = 0;
  int64_t database = 0;  // of the target
  milliseconds timeout{1000};
  std::vector<std::string> login;  // AUTH and its words; empty: none
  bool copies = false;
  bool replaces = false;
  int source_database = 0;
  std::deque<std::string> keys;
};

class Migration {
 public:
  Migration(MigrationPlan plan, Keyspace& keyspace, Services& services,
            std::shared_ptr<BlockedClient> client)
      : plan_(std::move(plan)),
        keyspace_(keyspace),
        services_(services),
        client_(std::move(client)) {}

  // Does all of it, and answers the client. Takes as long as the target lets it, up to the timeout
  // for each send and reply; ends soon when `socket` is interrupted.
  void Run(LinkSocket& socket, const Clock& clock);

 private:
  struct Item {
    std::string key;
    std::string payload;
    UnixMillis ttl = 0;
    bool replaces = false;
    int tries = 0;
    std::unique_ptr<Watcher> watcher;  // null when the key is to stay
  };
  enum class Removal : uint8_t { kDone, kTouched, kNotAllowed };

  // Reply lines of the target, one by one.
  class Replies;

  std::string Exchange(LinkSocket& socket, const Clock& clock);
  std::string Login(LinkSocket& socket, Replies& replies);
  std::string SendBatch(LinkSocket& socket, Replies& replies, const Clock& clock);
  std::vector<Item> TakeBatch(const Clock& clock);
  bool MakePayload(Item& item, const Clock& clock);
  Removal Remove(Item& item, const Clock& clock);
  void NoteReply(Item item, std::string_view reply, const Clock& clock);

  const MigrationPlan plan_;
  Keyspace& keyspace_;
  Services& services_;
  const std::shared_ptr<BlockedClient> client_;
  Effects effects_;
  std::deque<Item> pending_;
  std::string refusal_;  // the first one of the target's errors, or our own words
};

}  // namespace mikura::engine
