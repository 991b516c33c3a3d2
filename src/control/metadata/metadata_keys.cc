// SPDX-License-Identifier: Apache-2.0
#include "control/metadata/metadata_keys.h"

#include <fmt/format.h>

namespace mikura::control {
namespace {

std::string KindPrefix(std::string_view account, std::string_view region, std::string_view kind) {
  return fmt::format("{}{}/{}/{}/", kAccountsPrefix, account, region, kind);
}

// Whether `key` is "/ec/v1/acct/<account>/<region>/<kind>/<name>".
bool IsOfKind(std::string_view key, std::string_view kind) {
  if (key.substr(0, kAccountsPrefix.size()) != kAccountsPrefix) return false;
  key.remove_prefix(kAccountsPrefix.size());
  for (int part = 0; part < 2; ++part) {
    const size_t slash = key.find('/');
    if (slash == key.npos) return false;
    key.remove_prefix(slash + 1);
  }
  return key.size() > kind.size() + 1 && key.substr(0, kind.size()) == kind &&
         key[kind.size()] == '/';
}

}  // namespace

std::string ReplicationGroupsPrefix(std::string_view account, std::string_view region) {
  return KindPrefix(account, region, "rg");
}

std::string CacheClustersPrefix(std::string_view account, std::string_view region) {
  return KindPrefix(account, region, "cc");
}

std::string SubnetGroupsPrefix(std::string_view account, std::string_view region) {
  return KindPrefix(account, region, "subnetgrp");
}

std::string ParameterGroupsPrefix(std::string_view account, std::string_view region) {
  return KindPrefix(account, region, "paramgrp");
}

std::string UsersPrefix(std::string_view account, std::string_view region) {
  return KindPrefix(account, region, "user");
}

std::string UserGroupsPrefix(std::string_view account, std::string_view region) {
  return KindPrefix(account, region, "usergrp");
}

std::string ReplicationGroupKey(std::string_view account, std::string_view region,
                                std::string_view id) {
  return ReplicationGroupsPrefix(account, region).append(id);
}

std::string CacheClusterKey(std::string_view account, std::string_view region,
                            std::string_view id) {
  return CacheClustersPrefix(account, region).append(id);
}

std::string SubnetGroupKey(std::string_view account, std::string_view region,
                           std::string_view name) {
  return SubnetGroupsPrefix(account, region).append(name);
}

std::string SnapshotsPrefix(std::string_view account, std::string_view region) {
  return KindPrefix(account, region, "snapshot");
}

std::string SnapshotKey(std::string_view account, std::string_view region, std::string_view name) {
  return SnapshotsPrefix(account, region).append(name);
}

std::string TestFailoverQuotaKey(std::string_view account, std::string_view region) {
  return KindPrefix(account, region, "quota").append("test-failover");
}

std::string ParameterGroupKey(std::string_view account, std::string_view region,
                              std::string_view name) {
  return ParameterGroupsPrefix(account, region).append(name);
}

bool IsParameterGroupKey(std::string_view key) { return IsOfKind(key, "paramgrp"); }
bool IsReplicationGroupKey(std::string_view key) { return IsOfKind(key, "rg"); }
bool IsCacheClusterKey(std::string_view key) { return IsOfKind(key, "cc"); }
bool IsUserKey(std::string_view key) { return IsOfKind(key, "user"); }
bool IsUserGroupKey(std::string_view key) { return IsOfKind(key, "usergrp"); }
bool IsSnapshotKey(std::string_view key) { return IsOfKind(key, "snapshot"); }

std::string NodePrefix(std::string_view node_id) {
  return fmt::format("{}{}/", kNodesPrefix, node_id);
}

std::string NodeSpecKey(std::string_view node_id) { return NodePrefix(node_id) + "spec"; }
std::string NodeStatusKey(std::string_view node_id) { return NodePrefix(node_id) + "status"; }
std::string NodeParametersKey(std::string_view node_id) {
  return NodePrefix(node_id) + "parameters";
}

std::string ShardStateKey(std::string_view shard) {
  return fmt::format("{}{}/state", kShardsPrefix, shard);
}

std::string LoopbackAddressKey(std::string_view address) {
  return fmt::format("{}{}", kLoopbackAddressesPrefix, address);
}

std::string EventKey(UnixMillis at, uint32_t tie) {
  return fmt::format("{}{:013}-{:08x}", kEventsPrefix, at, tie);
}

}  // namespace mikura::control
