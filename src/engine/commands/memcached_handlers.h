// SPDX-License-Identifier: Apache-2.0
// The groups of memcached commands; memcached_commands.cc chooses among them.
#pragma once

#include "engine/commands/memcached_services.h"
#include "wire/memcached_lines.h"
#include "wire/memcached_request.h"

namespace mikura::engine {

void RunMetaGet(MemcachedContext& ctx, const wire::MemcachedRequest& request);
void RunMetaSet(MemcachedContext& ctx, const wire::MemcachedRequest& request);
void RunMetaDelete(MemcachedContext& ctx, const wire::MemcachedRequest& request);
void RunMetaDebug(MemcachedContext& ctx, const wire::MemcachedRequest& request);

// incr, decr and ma.
void RunIncrement(MemcachedContext& ctx, const wire::MemcachedRequest& request);
void RunMetaArithmetic(MemcachedContext& ctx, const wire::MemcachedRequest& request);

// Requests without a key.
void RunMemcachedAdmin(MemcachedContext& ctx, const wire::MemcachedRequest& request);
void RunMemcachedStats(MemcachedContext& ctx, const wire::MemcachedRequest& request);
// The same statistics, one packet for each.
void RunBinaryStats(MemcachedContext& ctx, const wire::MemcachedRequest& request);
// The set that authenticates a text client, and SASL.
void RunMemcachedAuthentication(MemcachedContext& ctx, const wire::MemcachedRequest& request);
// lru_crawler, lru, slabs and watch.
void RunMemcachedLru(MemcachedContext& ctx, const wire::MemcachedRequest& request);
void RunMemcachedLruCrawler(MemcachedContext& ctx, const wire::MemcachedRequest& request);
void RunMemcachedSlabs(MemcachedContext& ctx, const wire::MemcachedRequest& request);
void RunMemcachedWatch(MemcachedContext& ctx, const wire::MemcachedRequest& request);

// stats settings; stats items, slabs and cachedump. `words`: what follows the name.
void AppendMemcachedSettings(MemcachedContext& ctx);
void AppendMemcachedItems(MemcachedContext& ctx);
void AppendMemcachedSlabs(MemcachedContext& ctx);
void AppendMemcachedCacheDump(MemcachedContext& ctx, const wire::MemcachedWords& words);

}  // namespace mikura::engine
