// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/event_log.h"

#include <random>
#include <utility>

#include "control/metadata/metadata_keys.h"
#include "control/model/event.h"

namespace mikura::control {
namespace {

constexpr UnixMillis kHour = 3'600'000;
constexpr MonotonicNanos kNanosPerMilli = 1'000'000;
constexpr UnixMillis kKept = 14 * 24 * kHour;

}  // namespace

// The tie starts anywhere, so that two runs in one millisecond do not write the same key.
EventLog::EventLog(const Clock& clock) : clock_(clock), tie_(std::random_device{}()) {}

Write EventLog::Of(const ReplicationGroup& group, std::string message) {
  return Of(group.account, group.region, "replication-group", group.id, std::move(message));
}

Write EventLog::Of(const CacheCluster& cluster, std::string message) {
  return OfCluster(cluster.account, cluster.region, cluster.id, std::move(message));
}

Write EventLog::Of(const User& user, std::string message) {
  return Of(user.account, user.region, "user", user.id, std::move(message));
}

Write EventLog::Of(const UserGroup& users, std::string message) {
  return Of(users.account, users.region, "user-group", users.id, std::move(message));
}

Write EventLog::OfCluster(const std::string& account, const std::string& region,
                          const std::string& cluster_id, std::string message) {
  return Of(account, region, "cache-cluster", cluster_id, std::move(message));
}

Write EventLog::Of(const std::string& account, const std::string& region, const char* source_type,
                   const std::string& source_id, std::string message) {
  const UnixMillis now = clock_.NowMillis();
  const Event event{account, region, source_type, source_id, std::move(message), now};
  return Write::Put(EventKey(now, tie_++), ToJson(event));
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
