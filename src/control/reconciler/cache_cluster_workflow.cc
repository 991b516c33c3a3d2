// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/cache_cluster_workflow.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/logging.h"
#include "control/metadata/metadata_keys.h"
#include "control/model/cluster_modification.h"
#include "control/model/group_access.h"
#include "control/model/maintenance_window.h"
#include "control/reconciler/access_workflow.h"
#include "control/reconciler/address_pool.h"
#include "control/reconciler/event_log.h"
#include "control/reconciler/node_plan.h"
#include "control/reconciler/node_reboot.h"
#include "control/reconciler/restore.h"

namespace mikura::control {
namespace {

bool IsLeaving(const CacheNode& node) { return node.status == kStatusDeleting; }

// "host|ip|port host|ip|port": what auto discovery answers. Of the version of the cluster (M3).
std::string DiscoveryList(const CacheCluster& cluster) {
  const bool is_new = cluster.status == kStatusCreating;
  std::string list;
  for (const CacheNode& node : cluster.nodes) {
    if (IsLeaving(node) || (!is_new && node.status == kStatusCreating)) continue;
    if (!list.empty()) list += ' ';
    list +=
        fmt::format("{}|{}|{}", node.endpoint.address, node.endpoint.address, node.endpoint.port);
  }
  return list;
}

}  // namespace

Result<bool> CacheClusterWorkflow::Step(Loaded<CacheCluster>& cluster, Inventory& inventory) {
  CacheCluster& record = cluster.record;
  if (record.status == kStatusDeleting) {
    // A final snapshot comes first.
    if (!record.active_snapshot.empty()) return false;
    return Delete(cluster);
  }
  if (record.status == kStatusRestoreFailed) return true;
  const UnixMillis now = context_.clock.NowMillis();
  const bool is_pending = record.pending_nodes.count != 0 || record.HasPendingChange();
  const bool is_due = is_pending && record.status == kStatusAvailable &&
                      IsInMaintenanceWindow(record.maintenance_window, now);
  if (is_due) {
    ApplyPending(record, now);
    RETURN_IF_ERROR(context_.store.Transact({cluster.Unchanged()}, {cluster.Put()}));
    return false;
  }
  const bool is_planned = std::none_of(record.nodes.begin(), record.nodes.end(),
                                       [](const CacheNode& node) { return node.endpoint.empty(); });
  if (is_planned) return Run(cluster, inventory);
  RETURN_IF_ERROR(Provision(cluster));
  return false;
}

Status CacheClusterWorkflow::Provision(Loaded<CacheCluster>& cluster) {
  CacheCluster& record = cluster.record;
  std::vector<std::string> owners;
  std::vector<Endpoint*> endpoints;
  for (CacheNode& node : record.nodes) {
    if (!node.endpoint.empty()) continue;
    owners.push_back(fmt::format("node {} of {}", node.id, record.id));
    endpoints.push_back(&node.endpoint);
  }
  if (record.IsMemcached() && record.configuration_endpoint.empty()) {
    owners.push_back("configuration endpoint of " + record.id);
    endpoints.push_back(&record.configuration_endpoint);
  }
  ASSIGN_OR_RETURN(AddressReservation reserved,
                   ReserveAddresses(context_.store, context_.runtime, owners, record.port));
  for (size_t i = 0; i < endpoints.size(); ++i) {
    *endpoints[i] = {reserved.addresses[i], record.port};
  }
  for (const CacheNode& node : record.nodes) {
    const bool is_new =
        std::find(endpoints.begin(), endpoints.end(), &node.endpoint) != endpoints.end();
    if (!is_new) continue;
    const NodeSpec spec = SpecOf(record, node, "");
    reserved.writes.push_back(Write::Put(NodeSpecKey(spec.id), ToJson(spec)));
  }
  reserved.compares.push_back(cluster.Unchanged());
  reserved.writes.push_back(cluster.Put());
  RETURN_IF_ERROR(context_.store.Transact(reserved.compares, reserved.writes));
  return Ok();
}

Result<bool> CacheClusterWorkflow::Run(Loaded<CacheCluster>& cluster, Inventory& inventory) {
  CacheCluster& record = cluster.record;
  const bool was_creating = record.status == kStatusCreating;
  ASSIGN_OR_RETURN(const bool admitted, Admit(cluster));
  if (admitted) return false;
  ASSIGN_OR_RETURN(const bool batched, batches_.Step(cluster));
  if (batched) return false;
  Pass pass;
  std::vector<const NodeSpec*> specs;
  bool has_leaving = false;
  for (CacheNode& node : record.nodes) {
    if (IsLeaving(node)) {
      has_leaving = true;
      pass.statuses.push_back(node.status);
      continue;
    }
    const auto spec = inventory.nodes.find(record.NodeId(node));
    if (spec == inventory.nodes.end()) {
      return Error{fmt::format("cluster {} lacks the spec of a node", record.id)};
    }
    specs.push_back(&spec->second);
    RETURN_IF_ERROR(Tend(cluster, node, spec->second, pass));
    if (pass.stored) return false;
  }
  if (was_creating) {
    const std::string failure = RestoreFailure(keeper_, specs);
    if (!failure.empty()) return FailRestore(context_, nullptr, {&cluster}, failure);
  }
  if (has_leaving) {
    if (pass.all_told) RETURN_IF_ERROR(Dismiss(cluster));
    return false;
  }
  const bool changed = SetStatuses(record, pass.statuses) || pass.changed;
  if (!changed) return pass.settled;
  std::vector<Write> writes = std::move(pass.events);
  if (pass.settled) EndRestore(record, inventory, writes);
  if (was_creating && pass.settled) {
    writes.push_back(context_.events.Of(record, "Cache cluster created"));
  }
  writes.push_back(cluster.Put());
  RETURN_IF_ERROR(context_.store.Transact({cluster.Unchanged()}, writes));
  return pass.settled && !pass.changed;
}

Status CacheClusterWorkflow::Tend(Loaded<CacheCluster>& cluster, CacheNode& node,
                                  const NodeSpec& spec, Pass& pass) {
  CacheCluster& record = cluster.record;
  ASSIGN_OR_RETURN(const RebootStep reboot, StepReboot(context_, keeper_, cluster, node, spec));
  if (reboot != RebootStep::kNone) {
    pass.stored = reboot == RebootStep::kStored;
    pass.settled = false;
    pass.statuses.emplace_back(kStatusRebooting);
    return Ok();
  }
  ASSIGN_OR_RETURN(const VersionChange::Progress change, versions_.Step(cluster, node, spec));
  if (change != VersionChange::Progress::kNone) {
    pass.stored = change == VersionChange::Progress::kStored;
    pass.settled = false;
    pass.statuses.emplace_back(kStatusModifying);
    return Ok();
  }
  ASSIGN_OR_RETURN(const NodeObservation seen, keeper_.Look(spec));
  const bool is_protected = Protect(record, spec, seen);
  if (is_protected) {
    RETURN_IF_ERROR(keeper_.EnsureRunning(spec, {}, ", empty: its data was kept in memory only"));
  }
  // One that was added is shown first (Admit).
  const bool is_shown = record.status == kStatusCreating || node.status != kStatusCreating;
  const bool fine = seen.answering && !seen.loading && is_shown && is_protected &&
                    (!record.IsMemcached() || Join(record, spec.id, seen));
  pass.settled = pass.settled && fine;
  pass.all_told = pass.all_told && (fine || !seen.answering || !is_shown);
  std::string status = StatusOfNode(node.status, seen.answering, fine);
  if (!fine && is_shown && !node.version_change.empty()) status = kStatusModifying;
  if (!fine && !node.reboot.empty()) status = kStatusRebooting;
  if (fine) EndChanges(record, node, pass);
  // Until all nodes of memcached are done.
  if (is_shown && record.IsMemcached() && !node.version_change.empty()) status = kStatusModifying;
  pass.statuses.push_back(std::move(status));
  return Ok();
}

void CacheClusterWorkflow::EndChanges(CacheCluster& cluster, CacheNode& node, Pass& pass) {
  const bool replaced = VersionChange::End(cluster, node) && cluster.IsMemcached();
  // Whoever asks for the list of nodes sees that this one is another.
  if (replaced) ++cluster.membership_version;
  pass.changed = pass.changed || replaced;
  if (EndReboot(node) || replaced) pass.events.push_back(RebootedEvent(context_, cluster, node));
}

bool CacheClusterWorkflow::Protect(const CacheCluster& cluster, const NodeSpec& spec,
                                   const NodeObservation& seen) {
  // One that runs and does not answer yet has what it was started with.
  const bool is_open = !cluster.serves_tls && cluster.access == AccessWish();
  if (is_open || (!seen.Gone() && !seen.answering)) return true;
  NodeAccess access{.users = TokenUsersText(cluster.access),
                    .link = "cluster " + spec.id,
                    .tls_mode = cluster.serves_tls ? kTlsRequired : cluster.access.tls_mode,
                    .addresses = {}};
  if (!access.tls_mode.empty()) access.addresses.push_back(spec.endpoint.address);
  if (cluster.serves_tls) access.addresses.push_back(cluster.configuration_endpoint.address);
  if (seen.answering && context_.runtime.HasAccess(spec.id, access)) return true;
  const Status status = context_.runtime.SetAccess(spec.id, access);
  if (!status.ok()) {
    Log(LogLevel::kWarning, "reconciler", "node {}: access: {}", spec.id, status.error().message);
  }
  return status.ok();
}

Result<bool> CacheClusterWorkflow::Admit(Loaded<CacheCluster>& cluster) {
  CacheCluster& record = cluster.record;
  if (record.status == kStatusCreating) return false;
  std::vector<Write> writes;
  for (CacheNode& node : record.nodes) {
    const bool enters =
        node.status == kStatusCreating && context_.runtime.Observe(record.NodeId(node)).answering;
    if (!enters) continue;
    node.status = kStatusAvailable;
    writes.push_back(context_.events.Of(
        record, fmt::format("Added cache node {} in availability zone {}", node.id, node.zone)));
  }
  if (writes.empty()) return false;
  ++record.membership_version;
  writes.push_back(cluster.Put());
  RETURN_IF_ERROR(context_.store.Transact({cluster.Unchanged()}, writes));
  return true;
}

Status CacheClusterWorkflow::Dismiss(Loaded<CacheCluster>& cluster) {
  CacheCluster& record = cluster.record;
  std::vector<CacheNode> leaving;
  std::copy_if(record.nodes.begin(), record.nodes.end(), std::back_inserter(leaving), IsLeaving);
  bool gone = true;
  for (const CacheNode& node : leaving) {
    const std::string id = record.NodeId(node);
    const NodeObservation seen = context_.runtime.Observe(id);
    if (seen.Gone()) continue;
    // Clients of the configuration endpoint find the others from now on.
    if (seen.answering && seen.HasListener(kConfigurationListener)) {
      const Status closed = context_.runtime.Unlisten(id, kConfigurationListener);
      if (!closed.ok()) Log(LogLevel::kWarning, "reconciler", "{}: {}", id, closed.error().message);
    }
    context_.runtime.Stop(id);
    gone = gone && context_.runtime.Observe(id).Gone();
  }
  if (!gone) return Ok();
  ASSIGN_OR_RETURN(std::vector<Write> writes, Forget(record, leaving));
  for (const CacheNode& node : leaving) {
    writes.push_back(context_.events.Of(
        record,
        fmt::format("Removed cache node {} from availability zone {}", node.id, node.zone)));
  }
  std::erase_if(record.nodes, IsLeaving);
  writes.push_back(cluster.Put());
  RETURN_IF_ERROR(context_.store.Transact({cluster.Unchanged()}, writes));
  return Ok();
}

Result<std::vector<Write>> CacheClusterWorkflow::Forget(const CacheCluster& cluster,
                                                        const std::vector<CacheNode>& nodes) {
  std::vector<Write> writes;
  for (const CacheNode& node : nodes) {
    const std::string id = cluster.NodeId(node);
    RETURN_IF_ERROR(context_.runtime.Forget(id));
    keeper_.Drop(id);
    told_.erase(id);
    for (Write& write : RemovalOf(id, node.endpoint)) writes.push_back(std::move(write));
  }
  return writes;
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
  const Status status = context_.runtime.Listen(
      node_id, kConfigurationListener, cluster.configuration_endpoint,
      cluster.serves_tls ? ListenerProtocol::kMemcachedTls : ListenerProtocol::kMemcached);
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
  ASSIGN_OR_RETURN(std::vector<Write> writes, Forget(record, record.nodes));
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
