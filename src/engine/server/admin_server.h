// SPDX-License-Identifier: Apache-2.0
// The admin socket of a node: how the agent looks at it and steers it. A thread of its own that
// takes no shard lock except for what it is told to do, so a busy engine still answers.
//
// RESP2 over a Unix socket, one request at a time per connection (docs/formats/admin-socket.md):
//   PING | INFO [section] | ROLE | SHUTDOWN NOSAVE
//   MIKURA NODE                          the node's id
//   MIKURA PROMOTE epoch                 becomes primary
//   MIKURA FOLLOW epoch host port        becomes a replica
//   MIKURA LISTEN name resp|memcached    with one descriptor (SCM_RIGHTS): accepts on it
//   MIKURA UNLISTEN name                 stops accepting, ends the clients that came through it
//   MIKURA LISTENERS                     names of the passed listeners
//   MIKURA LISTENER name                 answers with the descriptor (SCM_RIGHTS)
//   MIKURA CLUSTERCONFIG version nodes   what memcached's "config get cluster" answers
//   MIKURA FENCE epoch deadline|none     acts as a primary until that moment (fence.h)
//   MIKURA SNAPSHOT path                 begins to write its data to that file
//   MIKURA SNAPSHOTSTATUS                how that went: state, path, error
// PROMOTE, FOLLOW and FENCE with an epoch below one seen before are refused with STALEEPOCH.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/commands/services.h"
#include "engine/persistence/asked_snapshot.h"
#include "engine/server/client_registry.h"
#include "engine/server/loop_group.h"
#include "engine/server/memcached_backend.h"
#include "engine/server/node_state.h"
#include "engine/server/reply_guard.h"
#include "wire/resp_writer.h"

namespace mikura::engine {

class AdminServer {
 public:
  struct Parts {
    ServerControl& control;
    LoopGroup& loops;
    ServerClientRegistry& clients;
    MemcachedBackend& memcached;
    NodeState& node;
    ReplyGuard& guard;
    AskedSnapshot& snapshot;
    std::string node_id;
  };

  explicit AdminServer(const Parts& parts) : parts_(parts) {}
  ~AdminServer();

  // Listens on `path` (mode 0600) and starts the thread. Errors: the path cannot be used.
  Status Start(const std::string& path);
  void Stop();

 private:
  struct Connection {
    UniqueFd fd;
    std::string input;
    UniqueFd received;  // the last descriptor that came with a request
  };
  using Words = std::vector<std::string_view>;

  void Run();
  bool Serve(Connection& connection);
  bool Receive(Connection& connection);
  void Execute(const Words& words, Connection& connection, wire::RespWriter& reply, int* send_fd);
  void ExecuteNode(const Words& words, Connection& connection, wire::RespWriter& reply,
                   int* send_fd);
  void ChangeRole(const Words& words, wire::RespWriter& reply);
  void SetFence(const Words& words, wire::RespWriter& reply);
  void BeginSnapshot(const std::string& path, wire::RespWriter& reply);
  bool IsStale(int64_t epoch, wire::RespWriter& reply) const;
  void Listen(const Words& words, Connection& connection, wire::RespWriter& reply);

  Parts parts_;
  UniqueFd listener_;
  UniqueFd stop_event_;
  std::thread thread_;
  std::vector<Connection> connections_;
  int64_t epoch_ = 0;  // the highest seen
};

}  // namespace mikura::engine
