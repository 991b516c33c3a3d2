// SPDX-License-Identifier: Apache-2.0
// The part of MemcachedBackend that looks at connections and at entries that went by themselves:
// stats conns, watch, and the counts per class.
#include "engine/net/socket.h"
#include "engine/server/client_registry.h"
#include "engine/server/loop_group.h"
#include "engine/server/memcached_backend.h"
#include "engine/server/memcached_report.h"
#include "engine/server/memcached_udp.h"

namespace mikura::engine {

void MemcachedBackend::NoteConnection(const ClientRecord& record, std::string_view reason) {
  if ((watchers_.kinds() & kWatchConnections) == 0) return;
  ReportConnection(record, reason, watchers_);
}

uint32_t MemcachedBackend::ClassOf(const store::Entry& entry) const {
  return classes_.ClassOf(MemcachedEntryBytes(entry.key().size(), entry.value().size(),
                                              entry.attributes().memcached_flags));
}

void MemcachedBackend::OnExpiredEntry(const store::Entry& entry, bool in_background) {
  if (in_background) {
    expired_keys_.Note(keyspace_.hasher()(entry.key()).hash);
  } else {
    rows_[ThreadIndex()].counters.get_expired.Add();
  }
  if (entry.type() != store::ValueType::kString) return;
  const uint32_t id = ClassOf(entry);
  class_counters_.Add(id, MemcachedRemoval::kReclaimed);
  if (in_background) class_counters_.Add(id, MemcachedRemoval::kCrawlerReclaimed);
  if (!entry.attributes().was_fetched())
    class_counters_.Add(id, MemcachedRemoval::kExpiredUnfetched);
}

void MemcachedBackend::OnEvictedEntry(int database, const store::Entry& entry) {
  if (database != kDatabase || entry.type() != store::ValueType::kString) return;
  const uint32_t id = ClassOf(entry);
  class_counters_.Add(id, MemcachedRemoval::kEvicted);
  if (entry.deadline() != store::kNoDeadline) {
    class_counters_.Add(id, MemcachedRemoval::kEvictedNonzero);
  }
  if (!entry.attributes().was_fetched())
    class_counters_.Add(id, MemcachedRemoval::kEvictedUnfetched);
  if ((watchers_.kinds() & kWatchEvictions) == 0) return;
  watchers_.Add(kWatchEvictions, DescribeEviction(entry, id, clock_.NowMillis()));
}

std::unique_ptr<OutputSource> MemcachedBackend::Watch(uint8_t kinds, uint64_t id) {
  const auto loop = clients_->LoopOf(id);
  if (!loop) return nullptr;
  return watchers_.Add(kinds, [this, loop = *loop, id] { loops_->WakeClient(loop, id); });
}

std::vector<MemcachedConnection> MemcachedBackend::Connections(uint64_t asking) {
  std::vector<MemcachedConnection> connections;
  for (const auto& listener : loops_->Listeners()) {
    if (listener->protocol != Protocol::kMemcached) continue;
    connections.push_back({listener->fd.get(), MemcachedAddress(LocalAddress(listener->fd.get())),
                           "", "conn_listening", started_at_});
  }
  if (udp_ != nullptr && !udp_->address().empty()) {
    connections.push_back({udp_->fd(), "udp:" + udp_->address(), "", "conn_read", started_at_});
  }
  for (const ClientInfo& client : clients_->List()) {
    connections.push_back({client.fd, MemcachedAddress(client.state.address),
                           MemcachedAddress(client.state.local_address),
                           client.state.id == asking ? "conn_parse_cmd"
                           : client.is_amid_request  ? "conn_nread"
                                                     : "conn_read",
                           client.last_active_at});
  }
  return connections;
}

}  // namespace mikura::engine
