// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/cache_cluster_workflow.h"

#include <fmt/format.h>

#include <utility>

#include "base/logging.h"
#include "control/metadata/metadata_keys.h"
#include "control/reconciler/address_pool.h"
#include "control/reconciler/event_log.h"
#include "control/reconciler/node_plan.h"
#include "control/reconciler/restore.h"

namespace mikura::control {
namespace {

bool IsMemcached(const CacheCluster& cluster) { return cluster.engine == "memcached"; }

// "host|ip|port host|ip|port": what auto discovery answers.
std::string DiscoveryList(const CacheCluster& cluster) {
  std::string list;
  for (const CacheNode& node : cluster.nodes) {
    if (!list.empty()) list += ' ';
    list +=
        fmt::format("{}|{}|{}", node.endpoint.address, node.endpoint.address, node.endpoint.port);
  }
  return list;
}

}  // namespace

Result<bool> CacheClusterWorkflow::Step(Loaded<CacheCluster>& cluster, Inventory& inventory) {
  if (cluster.record.status == kStatusDeleting) {
    // A final snapshot comes first.
    if (!cluster.record.active_snapshot.empty()) return false;
    return Delete(cluster);
  }
  if (cluster.record.status == kStatusRestoreFailed) return true;
  if (cluster.record.nodes.front().endpoint.empty()) {
    RETURN_IF_ERROR(Provision(cluster));
    return false;
  }
  return Run(cluster, inventory);
}

Status CacheClusterWorkflow::Provision(Loaded<CacheCluster>& cluster) {
  CacheCluster& record = cluster.record;
  std::vector<std::string> owners;
  for (const CacheNode& node : record.nodes) {
    owners.push_back(fmt::format("node {} of {}", node.id, record.id));
  }
  if (IsMemcached(record)) owners.push_back("configuration endpoint of " + record.id);
  ASSIGN_OR_RETURN(AddressReservation reserved,
                   ReserveAddresses(context_.store, context_.runtime, owners, record.port));
  for (size_t i = 0; i < record.nodes.size(); ++i) {
    record.nodes[i].endpoint = {reserved.addresses[i], record.port};
    const NodeSpec spec = SpecOf(record, record.nodes[i], "");
    reserved.writes.push_back(Write::Put(NodeSpecKey(spec.id), ToJson(spec)));
  }
  if (IsMemcached(record)) {
    record.configuration_endpoint = {reserved.addresses.back(), record.port};
  }
  reserved.compares.push_back(cluster.Unchanged());
  reserved.writes.push_back(cluster.Put());
  RETURN_IF_ERROR(context_.store.Transact(reserved.compares, reserved.writes));
  return Ok();
}

Result<bool> CacheClusterWorkflow::Run(Loaded<CacheCluster>& cluster, Inventory& inventory) {
  CacheCluster& record = cluster.record;
  const bool was_creating = record.status == kStatusCreating;
  std::vector<std::string> statuses;
  bool settled = true;
  std::vector<const NodeSpec*> specs;
  for (const CacheNode& node : record.nodes) {
    const auto spec = inventory.nodes.find(record.NodeId(node));
    if (spec == inventory.nodes.end()) {
      return Error{fmt::format("cluster {} lacks the spec of a node", record.id)};
    }
    specs.push_back(&spec->second);
    ASSIGN_OR_RETURN(const NodeObservation seen, keeper_.Look(spec->second));
    RETURN_IF_ERROR(
        keeper_.EnsureRunning(spec->second, {}, ", empty: its data was kept in memory only"));
    const bool fine = seen.answering && !seen.loading &&
                      (!IsMemcached(record) || Join(record, spec->second.id, seen));
    settled = settled && fine;
    statuses.push_back(StatusOfNode(node.status, seen.answering, fine));
  }
  if (was_creating) {
    const std::string failure = RestoreFailure(keeper_, specs);
    if (!failure.empty()) return FailRestore(context_, nullptr, {&cluster}, failure);
  }
  if (!SetStatuses(record, statuses)) return settled;
  std::vector<Write> writes;
  if (settled) EndRestore(record, inventory, writes);
  writes.push_back(cluster.Put());
  if (was_creating && settled) {
    writes.push_back(context_.events.Of(record, "Cache cluster created"));
  }
  RETURN_IF_ERROR(context_.store.Transact({cluster.Unchanged()}, writes));
  return settled;
}

bool CacheClusterWorkflow::Join(const CacheCluster& cluster, const std::string& node_id,
                                const NodeObservation& seen) {
  const std::pair<std::string, int64_t> now(seen.process_id, cluster.membership_version);
  auto& told = told_[node_id];
  if (told != now) {
    const Status status = context_.runtime.SetClusterConfig(node_id, cluster.membership_version,
                                                            DiscoveryList(cluster));
    if (!status.ok()) {
      Log(LogLevel::kWarning, "reconciler", "node {}: {}", node_id, status.error().message);
      return false;
    }
    told = now;
  }
  if (seen.HasListener(kConfigurationListener)) return true;
  const Status status =
      context_.runtime.Listen(node_id, kConfigurationListener, cluster.configuration_endpoint,
                              ListenerProtocol::kMemcached);
  if (!status.ok()) {
    Log(LogLevel::kWarning, "reconciler", "node {}: {}", node_id, status.error().message);
  }
  return status.ok();
}

Result<bool> CacheClusterWorkflow::Delete(const Loaded<CacheCluster>& cluster) {
  const CacheCluster& record = cluster.record;
  bool gone = true;
  for (const CacheNode& node : record.nodes) {
    const std::string id = record.NodeId(node);
    if (context_.runtime.Observe(id).Gone()) continue;
    context_.runtime.Stop(id);
    gone = gone && context_.runtime.Observe(id).Gone();
  }
  if (!gone) return false;
  std::vector<Write> writes;
  for (const CacheNode& node : record.nodes) {
    const std::string id = record.NodeId(node);
    RETURN_IF_ERROR(context_.runtime.Forget(id));
    keeper_.Drop(id);
    told_.erase(id);
    for (Write& write : RemovalOf(id, node.endpoint)) writes.push_back(std::move(write));
  }
  if (!record.configuration_endpoint.empty()) {
    context_.runtime.CloseEndpoint(record.configuration_endpoint);
    writes.push_back(ReleaseAddress(record.configuration_endpoint.address));
  }
  for (const std::string& key : record.held_keys) writes.push_back(Write::Delete(key));
  writes.push_back(Write::Delete(cluster.kv.key));
  writes.push_back(context_.events.Of(record, "Cache cluster deleted"));
  ASSIGN_OR_RETURN(const std::optional<Revision> deleted,
                   context_.store.Transact({cluster.Unchanged()}, writes));
  return deleted.has_value();
}

}  // namespace mikura::control
