// SPDX-License-Identifier: Apache-2.0
#include "control/api/elasticache/cache_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "base/numbers.h"
#include "control/api/store_failure.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/zones.h"

namespace mikura::control {
namespace {

Result<ReplicationGroup> Parse(const KeyValue& kv, ReplicationGroup*) {
  return ReplicationGroupFromJson(kv.value);
}
Result<CacheCluster> Parse(const KeyValue& kv, CacheCluster*) {
  return CacheClusterFromJson(kv.value);
}
Result<CacheSubnetGroup> Parse(const KeyValue& kv, CacheSubnetGroup*) {
  return CacheSubnetGroupFromJson(kv.value);
}
Result<CacheParameterGroup> Parse(const KeyValue& kv, CacheParameterGroup*) {
  return CacheParameterGroupFromJson(kv.value);
}

Result<Snapshot> Parse(const KeyValue& kv, Snapshot*) { return SnapshotFromJson(kv.value); }

template <typename Record>
ApiResult<Stored<Record>> Decode(const KeyValue& kv) {
  Result<Record> record = Parse(kv, static_cast<Record*>(nullptr));
  if (record.ok()) return Stored<Record>{std::move(record).value(), kv};
  Log(LogLevel::kError, "api", "{}: {}", kv.key, record.error().message);
  return ApiError{ApiErrorCode::kInternalFailure, {}};
}

template <typename Record>
ApiResult<std::vector<Stored<Record>>> ListAll(MetadataStore& store, const std::string& prefix) {
  const auto listed = store.List(prefix);
  if (!listed.ok()) return StoreFailure(listed.error());
  std::vector<Stored<Record>> records;
  for (const KeyValue& kv : *listed) {
    ASSIGN_OR_RETURN(Stored<Record> record, Decode<Record>(kv));
    records.push_back(std::move(record));
  }
  return records;
}

// Only what is on the page is decoded: names are the ends of the keys, and sort as they do.
template <typename Record>
ApiResult<Page<Stored<Record>>> ListPage(MetadataStore& store, const std::string& prefix,
                                         const AskedPage& asked) {
  auto listed = store.List(prefix);
  if (!listed.ok()) return StoreFailure(listed.error());
  ASSIGN_OR_RETURN(const Page<KeyValue> page,
                   PageOf(
                       std::move(listed).value(),
                       [&](const KeyValue& kv) { return kv.key.substr(prefix.size()); },
                       asked.max_records, asked.marker));
  Page<Stored<Record>> records;
  records.next_token = page.next_token;
  for (const KeyValue& kv : page.items) {
    ASSIGN_OR_RETURN(Stored<Record> record, Decode<Record>(kv));
    records.items.push_back(std::move(record));
  }
  return records;
}

template <typename Record>
ApiResult<Stored<Record>> FindOne(MetadataStore& store, const std::string& key, ApiError absent) {
  const auto found = store.Get(key);
  if (!found.ok()) return StoreFailure(found.error());
  if (!found->has_value()) return absent;
  return Decode<Record>(**found);
}

}  // namespace

ApiResult<std::vector<Stored<ReplicationGroup>>> CacheStore::Groups() const {
  return ListAll<ReplicationGroup>(context_.store,
                                   ReplicationGroupsPrefix(context_.account_id, context_.region));
}

ApiResult<Page<Stored<ReplicationGroup>>> CacheStore::GroupPage(const AskedPage& asked) const {
  return ListPage<ReplicationGroup>(
      context_.store, ReplicationGroupsPrefix(context_.account_id, context_.region), asked);
}

ApiResult<Page<Stored<CacheCluster>>> CacheStore::ClusterPage(const AskedPage& asked) const {
  return ListPage<CacheCluster>(context_.store,
                                CacheClustersPrefix(context_.account_id, context_.region), asked);
}

ApiResult<std::vector<Stored<CacheCluster>>> CacheStore::Clusters() const {
  return ListAll<CacheCluster>(context_.store,
                               CacheClustersPrefix(context_.account_id, context_.region));
}

ApiResult<std::vector<Stored<CacheSubnetGroup>>> CacheStore::SubnetGroups() const {
  return ListAll<CacheSubnetGroup>(context_.store,
                                   SubnetGroupsPrefix(context_.account_id, context_.region));
}

ApiResult<std::vector<Stored<CacheParameterGroup>>> CacheStore::ParameterGroups() const {
  return ListAll<CacheParameterGroup>(context_.store,
                                      ParameterGroupsPrefix(context_.account_id, context_.region));
}

ApiResult<std::vector<Stored<Snapshot>>> CacheStore::Snapshots() const {
  return ListAll<Snapshot>(context_.store, SnapshotsPrefix(context_.account_id, context_.region));
}

ApiResult<Stored<Snapshot>> CacheStore::FindSnapshot(std::string_view name) const {
  return FindOne<Snapshot>(
      context_.store, SnapshotKey(context_.account_id, context_.region, ToLower(name)),
      {ApiErrorCode::kSnapshotNotFoundFault, fmt::format("Snapshot not found: {}", name)});
}

ApiResult<Stored<ReplicationGroup>> CacheStore::Group(std::string_view id) const {
  return FindOne<ReplicationGroup>(
      context_.store, ReplicationGroupKey(context_.account_id, context_.region, ToLower(id)),
      {ApiErrorCode::kReplicationGroupNotFoundFault,
       fmt::format("ReplicationGroup {} not found.", id)});
}

ApiResult<Stored<CacheCluster>> CacheStore::Cluster(std::string_view id) const {
  return FindOne<CacheCluster>(
      context_.store, CacheClusterKey(context_.account_id, context_.region, ToLower(id)),
      {ApiErrorCode::kCacheClusterNotFound, fmt::format("CacheCluster not found: {}", id)});
}

ApiResult<Stored<CacheSubnetGroup>> CacheStore::SubnetGroup(std::string_view name) const {
  return FindOne<CacheSubnetGroup>(
      context_.store, SubnetGroupKey(context_.account_id, context_.region, ToLower(name)),
      {ApiErrorCode::kCacheSubnetGroupNotFoundFault,
       fmt::format("Cache Subnet Group {} does not exist.", name)});
}

ApiResult<Stored<CacheParameterGroup>> CacheStore::ParameterGroup(std::string_view name) const {
  return FindOne<CacheParameterGroup>(
      context_.store, ParameterGroupKey(context_.account_id, context_.region, ToLower(name)),
      {ApiErrorCode::kCacheParameterGroupNotFound,
       fmt::format("CacheParameterGroup not found: {}", name)});
}

ApiResult<std::optional<ShardState>> CacheStore::Shard(const ReplicationGroup& group) const {
  const auto found = context_.store.Get(ShardStateKey(group.ShardKey()));
  if (!found.ok()) return StoreFailure(found.error());
  if (!found->has_value()) return std::optional<ShardState>();
  auto state = ShardStateFromJson((*found)->value);
  if (state.ok()) return std::optional<ShardState>(std::move(state).value());
  Log(LogLevel::kError, "api", "{}", state.error().message);
  return ApiError{ApiErrorCode::kInternalFailure, {}};
}

std::string CacheStore::KeyOf(const ReplicationGroup& group) const {
  return ReplicationGroupKey(context_.account_id, context_.region, group.id);
}

std::string CacheStore::KeyOf(const CacheCluster& cluster) const {
  return CacheClusterKey(context_.account_id, context_.region, cluster.id);
}

std::string CacheStore::KeyOf(const CacheSubnetGroup& group) const {
  return SubnetGroupKey(context_.account_id, context_.region, group.name);
}

std::string CacheStore::KeyOf(const CacheParameterGroup& group) const {
  return ParameterGroupKey(context_.account_id, context_.region, group.name);
}

std::string CacheStore::KeyOf(const Snapshot& snapshot) const {
  return SnapshotKey(context_.account_id, context_.region, snapshot.name);
}

ApiResult<bool> CacheStore::Exists(std::string_view key) const {
  const auto found = context_.store.Get(key);
  if (!found.ok()) return StoreFailure(found.error());
  return found->has_value();
}

ApiResult<CacheNetwork> FindNetwork(const ActionContext& context,
                                    const std::optional<std::string>& subnet_group,
                                    const std::vector<std::string>& security_groups) {
  CacheNetwork network;
  if (subnet_group) {
    ASSIGN_OR_RETURN(network.subnet_group, CacheStore(context).SubnetGroup(*subnet_group));
    network.zones = network.subnet_group->record.Zones();
  } else {
    for (const Zone& zone : ZonesOfRegion(context.region)) network.zones.push_back(zone.name);
  }
  const NetworkStore networks(context);
  for (const std::string& id : security_groups) {
    ASSIGN_OR_RETURN(auto group, networks.FindSecurityGroup(id));
    if (!group) {
      return ApiError{ApiErrorCode::kInvalidParameterValue,
                      fmt::format("The security group {} does not exist.", id)};
    }
    if (network.subnet_group && group->record.vpc_id != network.subnet_group->record.vpc_id) {
      return ApiError{
          ApiErrorCode::kInvalidParameterValue,
          fmt::format("The security group {} is not in the VPC of the subnet group.", id)};
    }
    network.security_groups.push_back(std::move(*group));
  }
  return network;
}

ApiResult<std::vector<std::string>> HoldNetwork(const ActionContext& context,
                                                const CacheNetwork& network,
                                                const std::vector<std::string>& zones,
                                                std::string_view user, Change& change) {
  const NetworkStore networks(context);
  std::vector<std::string> keys;
  const auto hold = [&](const KeyValue& resource) {
    networks.AddUse(change, resource, user);
    keys.push_back(change.writes.back().key);
  };
  if (network.subnet_group) {
    // Rewritten, so that it cannot be deleted or changed at the same moment.
    change.Touch(network.subnet_group->kv);
    for (const GroupSubnet& subnet : network.subnet_group->record.subnets) {
      if (std::find(zones.begin(), zones.end(), subnet.zone) == zones.end()) continue;
      ASSIGN_OR_RETURN(const auto found, networks.FindSubnet(subnet.id));
      if (!found) {
        return ApiError{
            ApiErrorCode::kInvalidVPCNetworkStateFault,
            fmt::format("The subnet {} of the subnet group does not exist any more.", subnet.id)};
      }
      hold(found->kv);
    }
  }
  for (const auto& group : network.security_groups) hold(group.kv);
  return keys;
}

ApiResult<Tags> TagsOf(const std::vector<elasticache::Tag>& tags) {
  Tags added;
  for (const elasticache::Tag& tag : tags) {
    added[tag.key.value_or("")] = tag.value.value_or("");
  }
  Tags checked;
  RETURN_IF_ERROR(AddTags(checked, added, ApiErrorCode::kTagQuotaPerResourceExceeded));
  return checked;
}

}  // namespace mikura::control
