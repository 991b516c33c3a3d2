// SPDX-License-Identifier: Apache-2.0
// The admin socket of a node: how the agent looks at it and steers it. A thread of its own that
// takes no shard lock except for what it is told to do, so a busy engine still answers.
//
// RESP2 over a Unix socket, one request at a time per connection (docs/formats/admin-socket.md):
//   PING | INFO [section] | ROLE | SHUTDOWN NOSAVE
//   CONFIG GET pattern ... | CONFIG SET name value ...
//   MIKURA NODE                          the node's id
//   MIKURA PROMOTE epoch                 becomes primary
//   MIKURA FOLLOW epoch host port        becomes a replica
//   MIKURA HOLD millis                   clients' writes wait so long; answers with the log's end
//   MIKURA STEPDOWN epoch host port end  FOLLOW, if the log still ends there
//   MIKURA LISTEN name resp|memcached    with one descriptor (SCM_RIGHTS): accepts on it
//   MIKURA UNLISTEN name                 stops accepting, ends the clients that came through it
//   MIKURA LISTENERS                     names of the passed listeners
//   MIKURA LISTENER name                 answers with the descriptor (SCM_RIGHTS)
//   MIKURA CLUSTERCONFIG version nodes   what memcached's "config get cluster" answers
//   MIKURA FENCE epoch deadline|none     acts as a primary until that moment (fence.h)
//   MIKURA INSYNC                        which replicas are to be in the in-sync set
//   MIKURA INSYNC epoch version name ... those and no others are in it (InSyncSet, S5)
//   MIKURA ACCESS                        what is in force: users, TLS, the certificate's end
//   MIKURA USERS text                    replaces all users by those of an ACL file's text
//   CONFIG SET name value ...            as for clients
//   MIKURA SNAPSHOT path                 begins to write its data to that file
//   MIKURA SNAPSHOTSTATUS                how that went: state, path, error
// PROMOTE, FOLLOW, FENCE and INSYNC with an epoch below one seen before are refused with
// STALEEPOCH.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/commands/access_control.h"
#include "engine/commands/services.h"
#include "engine/net/tls_context.h"
#include "engine/observation/slow_log.h"
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
    AccessControl& access;
    const TlsContexts& tls;
    Parameters& parameters;
    AskedSnapshot& snapshot;
    ReplicationService& replication;
    const SlowLog& slow_log;
    std::string node_id;
  };

  explicit AdminServer(const Parts& parts) : parts_(parts) {}
  ~AdminServer();

  // Listens on `path` (mode 0600) and starts the thread. Errors: the path cannot be used.
  Status Start(const std::string& path);
  void Stop();

  // The users of this version come from a file of this text. Before Start().
  void NoteUsers(std::string_view text, uint64_t version);

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
  void Configure(const Words& words, wire::RespWriter& reply);
  void TellSlowLog(const Words& words, wire::RespWriter& reply) const;
  void ChangeRole(const Words& words, wire::RespWriter& reply);
  void Hold(const Words& words, wire::RespWriter& reply);
  void SetFence(const Words& words, wire::RespWriter& reply);
  void TellInSync(wire::RespWriter& reply) const;
  void AgreeInSync(const Words& words, wire::RespWriter& reply);
  void BeginSnapshot(const std::string& path, wire::RespWriter& reply);
  bool IsStale(int64_t epoch, wire::RespWriter& reply) const;
  void Listen(const Words& words, Connection& connection, wire::RespWriter& reply);
  // In admin_access.cc.
  void TellAccess(wire::RespWriter& reply) const;
  void SetUsers(std::string_view text, wire::RespWriter& reply);

  Parts parts_;
  UniqueFd listener_;
  UniqueFd stop_event_;
  std::thread thread_;
  std::vector<Connection> connections_;
  int64_t epoch_ = 0;  // the highest seen
  // Hash of the text that the users came from, and their version then: they are those of the text
  // as long as nobody has changed them since.
  std::string users_hash_;
  uint64_t users_version_ = 0;
};

}  // namespace mikura::engine
