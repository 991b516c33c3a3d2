// SPDX-License-Identifier: Apache-2.0
// What watchers and statistics per prefix are told of a request or a connection, in memcached's
// words.
#pragma once

#include <string>
#include <string_view>

#include "engine/commands/memcached_services.h"
#include "engine/server/client_record.h"
#include "wire/memcached_request.h"

namespace mikura::engine {

// Notes the entry that the request is about to meet. The shard is locked.
void NoteOldEntry(MemcachedContext& context);

void CountPrefix(const wire::MemcachedRequest& request, const MemcachedObservation& observation,
                 MemcachedPrefixes& prefixes);
// The lines item_get and item_store.
void ReportRequest(const wire::MemcachedRequest& request, const MemcachedObservation& observation,
                   int fd, MemcachedWatchers& watchers);
// The line of an evicted entry. The shard is locked.
std::string DescribeEviction(const store::Entry& entry, uint32_t class_id, UnixMillis now);
// The lines conn_new (empty reason) and conn_close.
void ReportConnection(const ClientRecord& record, std::string_view reason,
                      MemcachedWatchers& watchers);

// "tcp:127.0.0.1:80", "tcp6:[::1]:80", "unix:/path", of an address as the registry has it.
std::string MemcachedAddress(const std::string& address);

}  // namespace mikura::engine
