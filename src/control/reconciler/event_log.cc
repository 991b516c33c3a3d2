// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/event_log.h"

#include <random>
#include <utility>

#include "control/metadata/metadata_keys.h"
#include "control/reconciler/inventory.h"

namespace mikura::control {
namespace {

constexpr UnixMillis kHour = 3'600'000;
constexpr MonotonicNanos kNanosPerMilli = 1'000'000;
constexpr UnixMillis kKept = 14 * 24 * kHour;

}  // namespace

// The tie starts anywhere, so that two runs in one millisecond do not write the same key.
EventLog::EventLog(const Clock& clock) : clock_(clock), tie_(std::random_device{}()) {}

void EventLog::Load(const Inventory& inventory) {
  topics_.clear();
  for (const auto& [key, cluster] : inventory.clusters) {
    std::string topic = cluster.record.topic.ActiveArn();
    if (!topic.empty()) topics_[key] = std::move(topic);
  }
}

Write EventLog::Of(const ReplicationGroup& group, std::string message) {
  return WriteOf({.account = group.account,
                  .region = group.region,
                  .source_type = "replication-group",
                  .source_id = group.id,
                  .message = std::move(message),
                  .topic = group.topic.ActiveArn()});
}

Write EventLog::Of(const CacheCluster& cluster, std::string message) {
  return WriteOf({.account = cluster.account,
                  .region = cluster.region,
                  .source_type = "cache-cluster",
                  .source_id = cluster.id,
                  .message = std::move(message),
                  .topic = cluster.topic.ActiveArn()});
}

Write EventLog::Of(const User& user, std::string message) {
  return WriteOf({.account = user.account,
                  .region = user.region,
                  .source_type = "user",
                  .source_id = user.id,
                  .message = std::move(message)});
}

Write EventLog::Of(const UserGroup& users, std::string message) {
  return WriteOf({.account = users.account,
                  .region = users.region,
                  .source_type = "user-group",
                  .source_id = users.id,
                  .message = std::move(message)});
}

Write EventLog::OfCluster(const std::string& account, const std::string& region,
                          const std::string& cluster_id, std::string message) {
  const auto topic = topics_.find(CacheClusterKey(account, region, cluster_id));
  return WriteOf({.account = account,
                  .region = region,
                  .source_type = "cache-cluster",
                  .source_id = cluster_id,
                  .message = std::move(message),
                  .topic = topic == topics_.end() ? "" : topic->second});
}

Write EventLog::WriteOf(Event event) {
  event.at = clock_.NowMillis();
  return Write::Put(EventKey(event.at, tie_++), ToJson(event));
}

Status EventLog::Trim(MetadataStore& store) {
  const MonotonicNanos ticks = clock_.NowNanos();
  if (trimmed_at_ && ticks - *trimmed_at_ < kHour * kNanosPerMilli) return Ok();
  trimmed_at_ = ticks;
  ASSIGN_OR_RETURN(const std::vector<KeyValue> events, store.List(kEventsPrefix));
  const std::string oldest_kept = EventKey(clock_.NowMillis() - kKept, 0);
  std::vector<Write> writes;
  for (const KeyValue& kv : events) {
    if (kv.key < oldest_kept) writes.push_back(Write::Delete(kv.key));
  }
  if (!writes.empty()) RETURN_IF_ERROR(store.Transact({}, writes));
  return Ok();
}

}  // namespace mikura::control
