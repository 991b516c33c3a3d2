// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/memcached_storage.h"

#include "engine/commands/memcached_entry.h"
#include "wire/memcached_lines.h"
#include "wire/memcached_parser.h"

namespace mikura::engine {
namespace {

using wire::MemcachedRequest;

uint64_t CasFor(MemcachedContext& ctx, const MemcachedRequest& request) {
  return request.meta.Has('E') ? request.explicit_cas : NewMemcachedCas(ctx);
}

// Stores the request's data as a new entry, whatever was there.
MemcachedStoreResult Replace(MemcachedContext& ctx, const MemcachedRequest& request,
                             UnixMillis deadline, uint8_t state) {
  store::Attributes attributes;
  attributes.has_memcached = true;
  attributes.deadline = deadline;
  attributes.memcached_flags = request.client_flags;
  attributes.cas = CasFor(ctx, request);
  attributes.memcached_state = state | (request.key_is_binary ? kMemcachedBinaryKey : 0);
  if (!StoreMemcached(ctx, request.data, attributes).ok()) {
    ctx.counters.store_no_memory.Add();
    // As memcached: better a miss than a value that its owner believes replaced.
    EraseMemcached(ctx);
    return {MemcachedOutcome::kOutOfMemory};
  }
  // -C: without CAS memcached cannot tell what came before a flush_all from what came in the same
  // second behind it, and takes both.
  if (!ctx.settings.cas_enabled && ctx.services.FlushedKeys().WasInSecondOf(ctx.now())) {
    EraseMemcached(ctx);
  }
  return {MemcachedOutcome::kStored, attributes.cas};
}

MemcachedStoreResult Extend(MemcachedContext& ctx, const MemcachedRequest& request,
                            store::Found& found, bool before) {
  const std::string_view value = found.entry.value();
  const uint32_t flags = found.entry.attributes().memcached_flags;
  if (wire::MemcachedParser::IsTooLarge(request.key.size(), value.size() + request.data.size(),
                                        flags, ctx.settings.item_size_max)) {
    return {MemcachedOutcome::kNotStored};
  }
  const uint64_t cas = CasFor(ctx, request);
  if (!ExtendMemcached(ctx, found, request.data, before, cas).ok()) {
    ctx.counters.store_no_memory.Add();
    return {MemcachedOutcome::kOutOfMemory};
  }
  return {MemcachedOutcome::kStored, cas};
}

// What a CAS says about an entry that is there: store it, store it as stale, or refuse.
enum class CasVerdict : uint8_t { kMatch, kStale, kMismatch };

CasVerdict CompareCas(MemcachedContext& ctx, const MemcachedRequest& request,
                      const store::Found& found) {
  const uint64_t cas = MemcachedCas(found.entry);
  if (cas == request.cas) {
    ctx.counters.cas_hits.Add();
    return CasVerdict::kMatch;
  }
  // Flag I: a value made from an older one is better than none, but has to be made anew.
  if (request.meta.Has('I') && request.cas != 0 && request.cas < cas) return CasVerdict::kStale;
  ctx.counters.cas_badval.Add();
  return CasVerdict::kMismatch;
}

// A value made from an older one than is there: it keeps the old deadline, stays stale, and no
// second client is told to make it anew.
MemcachedStoreResult ReplaceAsStale(MemcachedContext& ctx, const MemcachedRequest& request,
                                    const store::Found& found) {
  const store::Attributes old = found.entry.attributes();
  const auto state =
      static_cast<uint8_t>(kMemcachedStale | (old.memcached_state & kMemcachedWinSent));
  return Replace(ctx, request, old.deadline, state);
}

MemcachedStoreResult StoreByMode(MemcachedContext& ctx, const MemcachedRequest& request, char mode,
                                 bool compare_cas) {
  const bool extends = mode == 'A' || mode == 'P';
  const UnixMillis deadline = MemcachedDeadline(request.exptime, ctx.now());
  if (mode == 'S' && !compare_cas) {
    if (HoldsOtherType(ctx)) return {MemcachedOutcome::kOtherType};
    return Replace(ctx, request, deadline, 0);
  }
  store::Found found = FindMemcached(ctx);
  if (!found) {
    if (HoldsOtherType(ctx)) return {MemcachedOutcome::kOtherType};
    if (mode == 'E') return Replace(ctx, request, deadline, 0);
    if (extends && request.meta.Has('N')) {
      return Replace(ctx, request, MemcachedDeadline(request.vivify_ttl, ctx.now()), 0);
    }
    if (extends || !compare_cas) return {MemcachedOutcome::kNotStored};
    ctx.counters.cas_misses.Add();
    return {MemcachedOutcome::kNotFound};
  }
  if (mode == 'E') return {MemcachedOutcome::kNotStored};
  CasVerdict verdict = CasVerdict::kMatch;
  // A CAS of 0 is no entry's; append and prepend take it for none, as memcached does.
  if (compare_cas && !(extends && request.cas == 0)) verdict = CompareCas(ctx, request, found);
  if (verdict == CasVerdict::kMismatch) return {MemcachedOutcome::kExists};
  if (extends) {
    if (verdict == CasVerdict::kStale) return {MemcachedOutcome::kExists};
    return Extend(ctx, request, found, mode == 'P');
  }
  if (verdict == CasVerdict::kStale) return ReplaceAsStale(ctx, request, found);
  return Replace(ctx, request, deadline, 0);
}

// The words of memcached's log.
std::string_view NameOf(MemcachedOutcome stored) {
  switch (stored) {
    case MemcachedOutcome::kStored:
      return "stored";
    case MemcachedOutcome::kExists:
      return "exists";
    case MemcachedOutcome::kNotFound:
      return "not_found";
    case MemcachedOutcome::kOutOfMemory:
      return "no_memory";
    default:
      return "not_stored";
  }
}

}  // namespace

MemcachedStoreResult StoreRequest(MemcachedContext& ctx, const MemcachedRequest& request, char mode,
                                  bool compare_cas) {
  ctx.counters.cmd_set.Add();
  const MemcachedStoreResult result = StoreByMode(ctx, request, mode, compare_cas);
  if (ctx.observation != nullptr) ctx.observation->stored = NameOf(result.stored);
  return result;
}

}  // namespace mikura::engine
