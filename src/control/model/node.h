// SPDX-License-Identifier: Apache-2.0
// A cache node as the reconciler plans it and as it was last observed, and the state of a shard.
// Pure data; written by the reconciler alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "control/model/endpoint.h"

namespace mikura::control {

// What a node is to be. In a group another size or version is another node; the spec of a node of a
// cluster that stands alone changes while its process is gone (reconciler/version_change.h).
struct NodeSpec {
  std::string id;  // "demo-001-1f2e3d4c": cluster, cache node, incarnation of the resource
  std::string account;
  std::string region;
  std::string cluster_id;     // its cache cluster
  std::string cache_node_id;  // "0001"
  std::string shard;          // ReplicationGroup::ShardKey(), empty when the node is in no shard
  std::string engine;         // "redis", "valkey", "memcached"
  std::string engine_version;
  std::string zone;
  std::string data_source;  // loaded by a primary at its start; removed when its cache is available
  Endpoint endpoint;        // the node's own address
  int64_t memory_bytes = 0;  // of its type; how much is for data the parameter group says
  int64_t threads = 1;
  bool serves_tls = false;  // memcached alone; of others NodeAccess tells
};

// What was observed of a node, stored when it changes.
struct NodeStatus {
  std::string state;   // "starting", "running", "restarting", "failing"
  std::string detail;  // why it is not running, for an operator
  int64_t restarts = 0;
  UnixMillis changed_at = 0;
  bool recovering = false;  // it was told that the node is started again
};

// Who is primary. Changed by compare-and-set alone: the one place where that is decided.
//
//   I1. epoch rises by one with each change of `primary`; a command to an engine carries it.
//   I2. primary is one of members.
//   I3. in_sync names the members that hold a whole copy of the data, as far as was observed: a
//       member enters when its link was seen up, and leaves before its process is started again.
//       Only one of them may be promoted.
struct ShardState {
  int64_t epoch = 0;
  std::string primary;               // a node id
  std::vector<std::string> members;  // node ids, primary-first as created
  std::vector<std::string> in_sync;
  std::string failover_from;  // the primary before, until the new one serves; else empty
  // A member that takes over from `primary` while both live; when it is the primary already, the
  // one before has not stepped down yet. Else empty.
  std::string hand_to;
  std::string end_run;               // the run of the primary that is to be ended (TestFailover)
  std::vector<std::string> retired;  // members no more, until nothing is left of them

  bool IsInSync(std::string_view node_id) const;
  bool operator==(const ShardState&) const = default;
};

std::string ToJson(const NodeSpec& spec);
std::string ToJson(const NodeStatus& status);
std::string ToJson(const ShardState& state);
Result<NodeSpec> NodeSpecFromJson(std::string_view text);
Result<NodeStatus> NodeStatusFromJson(std::string_view text);
Result<ShardState> ShardStateFromJson(std::string_view text);

// "demo-001" and "0001" of the resource created as 1f2e3d4c: "demo-001-1f2e3d4c"; for clusters of
// several nodes "mc-0003-1f2e3d4c".
std::string NodeIdOf(std::string_view cluster_id, std::string_view cache_node_id, bool only_node,
                     std::string_view incarnation);

}  // namespace mikura::control
