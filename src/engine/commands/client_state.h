// SPDX-License-Identifier: Apache-2.0
// What a command may know and change about the client that sent it. Owned by the client's session,
// on the session's thread; the registry shows copies to other threads (commands/services.h).
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "engine/access/access_users.h"
#include "engine/commands/own_part.h"
#include "engine/messaging/tracking_mode.h"
#include "engine/replication/replica_handshake.h"

namespace mikura::engine {

class BlockedClient;
class Preparation;
class Receiver;
class Transaction;

// What makes the next request of a client, or its reply, another than usual.
struct ClientModes {
  bool is_subscriber = false;  // has subscribed to anything
  bool is_monitor = false;     // sees every command
  bool in_multi = false;       // requests are queued; then there is a transaction
  // CLIENT REPLY: replies are written and then dropped by the session. It takes skip_next_reply
  // (and clears it) before it runs a command; CLIENT REPLY OFF and SKIP themselves write nothing.
  bool replies_off = false;
  bool skip_next_reply = false;
  // Set by a command whose reply is a push, which is not held back; the session clears it.
  bool reply_is_push = false;
  // Set by QUIT, SHUTDOWN, CLIENT KILL of oneself: the session ends after the reply was sent.
  bool close_after_reply = false;
  // Set by PSYNC: the session stops being a client; its socket goes to the replication part.
  bool is_replica = false;

  // One comparison.
  bool has_none() const { return std::bit_cast<uint64_t>(*this) == 0; }
};

struct ClientState : ClientModes {
  uint64_t id = 0;
  std::string address;        // "127.0.0.1:51234"
  std::string local_address;  // the address the client connected to
  std::string name;
  std::string library_name;
  std::string library_version;
  std::string user = "default";
  // What the user may do, as of that version (AccessControl::Refresh); null before the first
  // request.
  access::SharedUser rights;
  uint64_t rights_version = 0;
  bool is_unrestricted = false;
  int database = 0;
  int resp_version = 2;
  bool authenticated = false;
  bool sasl_started = false;  // of a memcached client: its mechanism is known, its message is not
  bool no_evict = false;
  bool no_touch = false;
  ReplicaHandshake replica;  // what REPLCONF and PSYNC said
  UnixMillis connected_at = 0;

  // ---- What it has subscribed to: CountSubscriptions() in engine/commands/subscriptions.h.
  uint32_t channels = 0;
  uint32_t patterns = 0;
  uint32_t shard_channels = 0;
  TrackingMode tracking;  // changed by ClientTracking, but for `caching`
  // What is pushed to the client goes here; null for one without a connection (the stream of a
  // primary). The session's.
  Receiver* receiver = nullptr;
  OwnPart<Transaction> transaction;  // from MULTI or WATCH on
  OwnPart<BlockedClient> waiting;    // while it waits for keys
  OwnPart<Preparation> preparation;  // of the request that its session is suspended for
};

// As CLIENT LIST and KILL name it.
inline std::string_view ClientTypeName(const ClientState& client) {
  if (client.is_replica) return "replica";
  return client.is_subscriber ? "pubsub" : "normal";
}

}  // namespace mikura::engine
