// SPDX-License-Identifier: Apache-2.0
#include "engine/server/memcached_report.h"

#include <fmt/format.h>

#include "engine/commands/memcached_entry.h"

namespace mikura::engine {
namespace {

using wire::MemcachedCommand;
using wire::MemcachedRequest;

std::string_view StoreName(const MemcachedRequest& request) {
  switch (request.command) {
    case MemcachedCommand::kSet:
      return "set";
    case MemcachedCommand::kAdd:
      return "add";
    case MemcachedCommand::kReplace:
      return "replace";
    case MemcachedCommand::kAppend:
      return "append";
    case MemcachedCommand::kPrepend:
      return "prepend";
    case MemcachedCommand::kCas:
      return "cas";
    case MemcachedCommand::kMetaSet:
      return request.meta.Has('C') ? "cas" : "set";
    default:
      return "set";
  }
}

bool IsRetrieval(MemcachedCommand command) {
  switch (command) {
    case MemcachedCommand::kGet:
    case MemcachedCommand::kGets:
    case MemcachedCommand::kGat:
    case MemcachedCommand::kGats:
    case MemcachedCommand::kMetaGet:
      return true;
    default:
      return false;
  }
}

uint32_t ClassOf(std::string_view key, size_t value_bytes, uint32_t flags) {
  static const MemcachedClasses classes;
  return classes.ClassOf(MemcachedEntryBytes(key.size(), value_bytes, flags));
}

}  // namespace

void NoteOldEntry(MemcachedContext& context) {
  const store::Found found = PeekMemcached(context);
  if (!found) return;
  context.observation->found = true;
  context.observation->found_bytes = found.entry.value().size();
  context.observation->found_flags = found.entry.attributes().memcached_flags;
}

void CountPrefix(const MemcachedRequest& request, const MemcachedObservation& observation,
                 MemcachedPrefixes& prefixes) {
  if (IsRetrieval(request.command)) {
    prefixes.CountGet(request.key, observation.found);
  } else if (!observation.stored.empty()) {
    prefixes.CountSet(request.key);
  } else if (request.command == MemcachedCommand::kDelete ||
             request.command == MemcachedCommand::kMetaDelete) {
    prefixes.CountDelete(request.key);
  }
}

void ReportRequest(const MemcachedRequest& request, const MemcachedObservation& observation, int fd,
                   MemcachedWatchers& watchers) {
  const uint8_t kinds = watchers.kinds();
  const std::string key = EncodeMemcachedKey(request.key);
  // As memcached, which looks for the old entry whatever is to be done with it.
  if ((kinds & kWatchFetchers) != 0 && request.command != MemcachedCommand::kTooLarge) {
    const uint32_t id = observation.found
                            ? ClassOf(request.key, observation.found_bytes, observation.found_flags)
                            : 0;
    watchers.Emit(
        kWatchFetchers,
        fmt::format("type=item_get key={} status={} clsid={} cfd={} size={}", key,
                    observation.found ? "found" : "not_found", id, fd, observation.found_bytes));
  }
  if ((kinds & kWatchMutations) != 0 && !observation.stored.empty()) {
    watchers.Emit(
        kWatchMutations,
        fmt::format("type=item_store key={} status={} cmd={} ttl={} clsid={} cfd={} size={}", key,
                    observation.stored, StoreName(request), std::max<int64_t>(request.exptime, 0),
                    ClassOf(request.key, request.data.size(), request.client_flags), fd,
                    request.data.size()));
  }
}

std::string DescribeEviction(const store::Entry& entry, uint32_t class_id, UnixMillis now) {
  const store::Attributes attributes = entry.attributes();
  const bool is_fetched = (attributes.memcached_state & kMemcachedFetched) != 0;
  const int64_t ttl = attributes.deadline == store::kNoDeadline
                          ? -1
                          : std::max<int64_t>(0, (attributes.deadline - now) / 1000);
  return fmt::format("type=eviction key={} fetch={} ttl={} clsid={} size={}",
                     EncodeMemcachedKey(entry.key()), is_fetched ? "yes" : "no", ttl, class_id,
                     entry.value().size());
}

void ReportConnection(const ClientRecord& record, std::string_view reason,
                      MemcachedWatchers& watchers) {
  const std::string& address = record.state.address;
  const bool is_local = address.starts_with("/");
  const size_t colon = address.rfind(':');
  const std::string host = address.substr(0, colon);
  const std::string port = is_local || colon == std::string::npos ? "0" : address.substr(colon + 1);
  const std::string_view transport = is_local ? "local" : "tcp";
  const std::string end = reason.empty() ? fmt::format("cfd={}", record.fd)
                                         : fmt::format("reason={} cfd={}", reason, record.fd);
  watchers.Emit(kWatchConnections, fmt::format("type={} rip={} rport={} transport={} {}",
                                               reason.empty() ? "conn_new" : "conn_close",
                                               is_local ? "unix" : host, port, transport, end));
}

std::string MemcachedAddress(const std::string& address) {
  if (address.starts_with("/")) return "unix:" + address.substr(0, address.rfind(':'));
  return (address.starts_with("[") ? "tcp6:" : "tcp:") + address;
}

}  // namespace mikura::engine
