// SPDX-License-Identifier: Apache-2.0
// mg ms md me.
#include <optional>

#include "engine/commands/memcached_entry.h"
#include "engine/commands/memcached_handlers.h"
#include "engine/commands/memcached_replies.h"
#include "engine/commands/memcached_storage.h"
#include "engine/commands/shared_reply.h"
#include "wire/memcached_lines.h"
#include "wire/memcached_numbers.h"

namespace mikura::engine {
namespace {

using wire::MemcachedRequest;

// What mg answers from, and what it leaves behind.
struct MetaItem {
  store::Found found;  // not there when `created` has expired at once
  std::string_view value;
  store::Attributes attributes;  // as they were before the request, but for `created`
  bool created = false;          // by flag N
  // What flags change, in their order: a later t shows what an earlier T did.
  UnixMillis deadline = store::kNoDeadline;
  bool won = false;

  bool Has(uint8_t state) const { return (attributes.memcached_state & state) != 0; }
};

// The stub that flag N leaves on a miss. Errors: kOutOfMemory.
FaultOr<MetaItem> Vivify(MemcachedContext& ctx, const MemcachedRequest& request) {
  store::Attributes attributes;
  attributes.has_memcached = true;
  attributes.deadline = MemcachedDeadline(request.vivify_ttl, ctx.now());
  attributes.cas = request.meta.Has('E') ? request.explicit_cas : NewMemcachedCas(ctx);
  attributes.memcached_state = kMemcachedWinSent;
  RETURN_IF_ERROR(StoreMemcached(ctx, "", attributes));
  MetaItem item;
  item.found = PeekMemcached(ctx);
  item.attributes = attributes;
  item.attributes.memcached_state &= ~kMemcachedWinSent;
  item.created = true;
  item.won = true;
  return item;
}

// Writes the flags that mg returns and takes note of what T, N and R want.
void AppendItemFlags(MemcachedContext& ctx, const MemcachedRequest& request, MetaItem& item) {
  for (wire::MetaFlagReader flag(request.meta_flags); flag.Next();) {
    switch (flag.letter()) {
      case 'T':
        item.deadline = MemcachedDeadline(request.exptime, ctx.now());
        break;
      case 'N':
        if (item.created) item.deadline = item.attributes.deadline;
        break;
      case 'R':
        if (!item.created && !item.Has(kMemcachedWinSent) && request.recache_ttl > 0 &&
            item.deadline < MemcachedDeadline(request.recache_ttl, ctx.now())) {
          item.won = true;
        }
        break;
      case 's':
        AppendNumberFlag(ctx.out, 's', item.value.size());
        break;
      case 't':
        AppendTtlFlag(ctx.out, item.deadline, ctx.now());
        break;
      case 'c':
        AppendNumberFlag(ctx.out, 'c',
                         item.created ? item.attributes.cas : MemcachedCas(item.found.entry));
        break;
      case 'f':
        AppendNumberFlag(ctx.out, 'f', item.attributes.memcached_flags);
        break;
      case 'h':
        AppendNumberFlag(ctx.out, 'h', item.Has(kMemcachedFetched) ? 1 : 0);
        break;
      case 'O':
        ctx.out.Append(' ');
        ctx.out.Append(flag.word());
        break;
      case 'k':
        AppendKeyFlag(ctx.out, request.key, item.Has(kMemcachedBinaryKey));
        break;
      default:
        break;
    }
  }
}

// Z: another client won before. X: stale. W: this client is to make the value anew.
void AppendRecacheFlags(MemcachedContext& ctx, MetaItem& item) {
  if (item.Has(kMemcachedWinSent)) AppendFlag(ctx.out, 'Z');
  if (item.Has(kMemcachedStale)) {
    AppendFlag(ctx.out, 'X');
    if (!item.Has(kMemcachedWinSent)) item.won = true;
  }
  // A replica cannot remember to whom it gave the win, so it gives none.
  if (ctx.read_only) item.won = false;
  if (item.won) AppendFlag(ctx.out, 'W');
}

FaultOr<> LeaveBehind(MemcachedContext& ctx, const MemcachedRequest& request, MetaItem& item) {
  if (!item.found) return Ok();
  if (!request.meta.Has('u')) item.found.entry.AddMemcachedState(kMemcachedFetched);
  if (item.created) return SetMemcachedDeadline(ctx, item.found, item.deadline);
  if (item.won) {
    store::Attributes attributes = MemcachedAttributes(item.found.entry);
    attributes.memcached_state |= kMemcachedWinSent;
    attributes.deadline = item.deadline;
    return SetMemcachedAttributes(ctx, item.found, attributes);
  }
  if (request.meta.Has('T')) return SetMemcachedDeadline(ctx, item.found, item.deadline);
  return Ok();
}

void ReplyMetaMiss(MemcachedContext& ctx, const MemcachedRequest& request) {
  if (!request.noreply) AppendMetaStatus(ctx.out, "EN", request);
}

// VA <bytes>, the value, and line ends: one reservation, one copy.
void AppendPlainValue(wire::OutputBuffer& out, std::string_view value) {
  constexpr size_t kAroundMax = 3 + ReservedReply::kNumberMax + 2 + 2;
  ReservedReply reply(out, kAroundMax + value.size());
  reply.Put("VA ");
  reply.PutNumber(value.size());
  reply.Put("\r\n");
  reply.Put(value);
  reply.Put("\r\n");
  reply.Finish();
}

// mg KEY v, which is nearly every mg: true when it was one and has been answered.
bool AnswerPlainValue(MemcachedContext& ctx, const MemcachedRequest& request, store::Found& found) {
  constexpr wire::MetaFlagSet kValueOnly = wire::MetaFlagSet::Of("v");
  if (request.meta != kValueOnly || found.entry.is_external()) return false;
  constexpr uint8_t kRecaching = kMemcachedWinSent | kMemcachedStale;
  if ((found.entry.attributes().memcached_state & kRecaching) != 0) return false;
  found.entry.AddMemcachedState(kMemcachedFetched);
  AppendPlainValue(ctx.out, found.entry.value());
  return true;
}

}  // namespace

void RunMetaGet(MemcachedContext& ctx, const MemcachedRequest& request) {
  ctx.counters.cmd_meta.Add();
  ctx.counters.cmd_get.Add();
  MetaItem item;
  item.found = request.meta.Has('u') ? PeekMemcached(ctx) : FindMemcached(ctx);
  if (item.found) {
    ctx.counters.get_hits.Add();
    if (AnswerPlainValue(ctx, request, item.found)) return;
    item.value = item.found.entry.value();
    item.attributes = item.found.entry.attributes();
    item.deadline = item.attributes.deadline;
  } else {
    CountGetMiss(ctx);
    if (!request.meta.Has('N') || HoldsOtherType(ctx)) return ReplyMetaMiss(ctx, request);
    auto created = Vivify(ctx, request);
    if (!created.ok()) return ctx.out.Append(wire::kMemcachedOutOfMemory);
    item = *created;
  }
  const size_t begin = ctx.out.size();
  if (request.meta.Has('v')) {
    ctx.out.Append("VA ");
    AppendNumber(ctx.out, item.value.size());
  } else {
    ctx.out.Append("HD");
  }
  AppendItemFlags(ctx, request, item);
  AppendRecacheFlags(ctx, item);
  ctx.out.Append("\r\n");
  if (request.meta.Has('v')) {
    auto shared = item.found ? ShareLargeValue(ctx.out, item.found.entry) : std::nullopt;
    if (shared) {
      ctx.out.AppendShared(std::move(*shared));
    } else {
      ctx.out.Append(item.value);
    }
    ctx.out.Append("\r\n");
  }
  // Last, since it may move the entry whose bytes were copied or shared above.
  if (!LeaveBehind(ctx, request, item).ok()) {
    ctx.out.Truncate(begin);
    ctx.out.Append(wire::kMemcachedOutOfMemory);
  }
}

void RunMetaSet(MemcachedContext& ctx, const MemcachedRequest& request) {
  ctx.counters.cmd_meta.Add();
  const bool compare_cas = request.meta.Has('C') && request.mode != 'E';
  const MemcachedStoreResult result = StoreRequest(ctx, request, request.mode, compare_cas);
  if (result.stored == MemcachedOutcome::kOutOfMemory ||
      result.stored == MemcachedOutcome::kOtherType) {
    return ctx.out.Append(OutcomeLine(result.stored));
  }
  if (result.stored == MemcachedOutcome::kStored) {
    if (request.noreply) return;
    ctx.out.Append("HD");
  } else if (result.stored == MemcachedOutcome::kNotStored) {
    ctx.out.Append("NS");
  } else {
    ctx.out.Append(result.stored == MemcachedOutcome::kExists ? "EX" : "NF");
  }
  for (wire::MetaFlagReader flag(request.meta_flags); flag.Next();) {
    if (flag.letter() == 'O') {
      ctx.out.Append(' ');
      ctx.out.Append(flag.word());
    } else if (flag.letter() == 'k') {
      AppendKeyFlag(ctx.out, request.key, request.key_is_binary);
    } else if (flag.letter() == 'c') {
      AppendNumberFlag(ctx.out, 'c', result.cas);
    }
  }
  ctx.out.Append("\r\n");
}

namespace {

// md with I: the entry stays, marked stale; with x: without its value and client flags.
FaultOr<> Invalidate(MemcachedContext& ctx, const MemcachedRequest& request, store::Found& found) {
  store::Attributes attributes = MemcachedAttributes(found.entry);
  attributes.cas = request.meta.Has('E') ? request.explicit_cas : NewMemcachedCas(ctx);
  if (request.meta.Has('I')) {
    attributes.memcached_state |= kMemcachedStale;
    attributes.memcached_state &= ~kMemcachedWinSent;
    if (request.meta.Has('T')) {
      attributes.deadline = MemcachedDeadline(request.exptime, ctx.now());
    }
  }
  if (request.meta.Has('x')) {
    attributes.memcached_flags = 0;
    return StoreMemcached(ctx, "", attributes);
  }
  return SetMemcachedAttributes(ctx, found, attributes);
}

}  // namespace

void RunMetaDelete(MemcachedContext& ctx, const MemcachedRequest& request) {
  ctx.counters.cmd_meta.Add();
  store::Found found = PeekMemcached(ctx);
  if (!found) {
    if (HoldsOtherType(ctx)) return ctx.out.Append(kMemcachedOtherType);
    ctx.counters.delete_misses.Add();
    return AppendMetaStatus(ctx.out, "NF", request);
  }
  if (request.meta.Has('C') && MemcachedCas(found.entry) != request.cas) {
    return AppendMetaStatus(ctx.out, "EX", request);
  }
  ctx.counters.delete_hits.Add();
  if (request.meta.Has('I') || request.meta.Has('x')) {
    if (!Invalidate(ctx, request, found).ok()) return ctx.out.Append(wire::kMemcachedOutOfMemory);
  } else {
    EraseMemcached(ctx);
  }
  if (!request.noreply) AppendMetaStatus(ctx.out, "HD", request);
}

void RunMetaDebug(MemcachedContext& ctx, const MemcachedRequest& request) {
  ctx.counters.cmd_meta.Add();
  const store::Found found = PeekMemcached(ctx);
  if (!found) return ctx.out.Append("EN\r\n");
  const store::Attributes attributes = found.entry.attributes();
  ctx.out.Append("ME ");
  if ((attributes.memcached_state & kMemcachedBinaryKey) != 0) {
    char* begin = ctx.out.Reserve(wire::EncodedBase64Size(request.key.size()));
    ctx.out.Advance(wire::EncodeBase64(request.key, begin));
  } else {
    ctx.out.Append(request.key);
  }
  // Seconds until it expires, negative as memcached shows them; -1 for never.
  ctx.out.Append(" exp=-");
  const bool expires = attributes.deadline != store::kNoDeadline;
  const UnixMillis left = expires ? attributes.deadline - ctx.now() : 1000;
  AppendNumber(ctx.out, static_cast<uint64_t>(left + 999) / 1000);
  ctx.out.Append(" cas=");
  AppendNumber(ctx.out, MemcachedCas(found.entry));
  const bool fetched = (attributes.memcached_state & kMemcachedFetched) != 0;
  ctx.out.Append(fetched ? " fetch=yes size=" : " fetch=no size=");
  AppendNumber(ctx.out, found.entry.memory_bytes());
  ctx.out.Append("\r\n");
}

}  // namespace mikura::engine
