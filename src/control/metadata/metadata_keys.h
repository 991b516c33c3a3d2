// SPDX-License-Identifier: Apache-2.0
// Where each record of the service stands in the store: docs/formats/metadata-keys.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace mikura::control {

inline constexpr std::string_view kAccountsPrefix = "/ec/v1/acct/";
inline constexpr std::string_view kNodesPrefix = "/ec/v1/node/";
inline constexpr std::string_view kShardsPrefix = "/ec/v1/shard/";
inline constexpr std::string_view kEventsPrefix = "/ec/v1/event/";
inline constexpr std::string_view kHostCapacityKey = "/ec/v1/host/local/capacity";
inline constexpr std::string_view kLoopbackAddressesPrefix = "/ec/v1/ip/loopback/";
inline constexpr std::string_view kLoopbackCursorKey = "/ec/v1/ip/cursor/loopback";

// "/ec/v1/acct/<account>/<region>/<kind>/".
std::string ReplicationGroupsPrefix(std::string_view account, std::string_view region);
std::string CacheClustersPrefix(std::string_view account, std::string_view region);
std::string SubnetGroupsPrefix(std::string_view account, std::string_view region);
std::string ParameterGroupsPrefix(std::string_view account, std::string_view region);
std::string ReplicationGroupKey(std::string_view account, std::string_view region,
                                std::string_view id);
std::string CacheClusterKey(std::string_view account, std::string_view region, std::string_view id);
std::string SubnetGroupKey(std::string_view account, std::string_view region,
                           std::string_view name);
std::string ParameterGroupKey(std::string_view account, std::string_view region,
                              std::string_view name);
std::string UsersPrefix(std::string_view account, std::string_view region);
std::string UserGroupsPrefix(std::string_view account, std::string_view region);

std::string SnapshotsPrefix(std::string_view account, std::string_view region);
std::string SnapshotKey(std::string_view account, std::string_view region, std::string_view name);
// What the service was started with; written at each start, for the actions.
inline constexpr std::string_view kBucketFolderKey = "/ec/v1/service/bucket-folder";
inline constexpr std::string_view kSnsEndpointKey = "/ec/v1/service/sns-endpoint";
// The revision up to which events have been published.
inline constexpr std::string_view kNotifiedKey = "/ec/v1/service/notified";

// Whether `key` is one of a replication group, a cache cluster, a parameter group, of any account.
bool IsReplicationGroupKey(std::string_view key);
bool IsParameterGroupKey(std::string_view key);
bool IsCacheClusterKey(std::string_view key);
bool IsSnapshotKey(std::string_view key);
bool IsUserKey(std::string_view key);
bool IsUserGroupKey(std::string_view key);

// The calls of TestFailover, which are limited.
std::string TestFailoverQuotaKey(std::string_view account, std::string_view region);

std::string NodeSpecKey(std::string_view node_id);
std::string NodeStatusKey(std::string_view node_id);
// How far it has taken over its parameter group.
std::string NodeParametersKey(std::string_view node_id);
// The prefix of all that is kept of one node.
std::string NodePrefix(std::string_view node_id);
// `shard` is ReplicationGroup::ShardKey().
std::string ShardStateKey(std::string_view shard);
std::string LoopbackAddressKey(std::string_view address);
// Events sort by time; `tie` parts those of one millisecond.
std::string EventKey(UnixMillis at, uint32_t tie);

}  // namespace mikura::control
