// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/memcached_commands.h"

#include "engine/commands/memcached_binary_replies.h"
#include "engine/commands/memcached_entry.h"
#include "engine/commands/memcached_handlers.h"
#include "engine/commands/memcached_replies.h"
#include "engine/commands/memcached_storage.h"
#include "engine/commands/shared_reply.h"
#include "wire/memcached_binary_writer.h"
#include "wire/memcached_lines.h"

namespace mikura::engine {
namespace {

using wire::MemcachedCommand;
using wire::MemcachedRequest;

// VALUE <key> <flags> <bytes> [<cas>], the value, and line ends: one reservation, and one copy or,
// of a large value, a reference.
void AppendValue(wire::OutputBuffer& out, std::string_view key, const store::Entry& entry,
                 bool with_cas) {
  const std::string_view value = entry.value();
  constexpr std::string_view kName = "VALUE ";
  constexpr size_t kNumbersMax = 10 + 20 + 20 + 8;
  auto shared = ShareLargeValue(out, entry);
  const size_t copied = shared ? 0 : value.size();
  ReservedReply reply(out, kName.size() + key.size() + kNumbersMax + copied);
  reply.Put(kName);
  reply.Put(key);
  reply.Put(" ");
  const store::Attributes attributes = entry.attributes();
  reply.PutNumber(attributes.memcached_flags);
  reply.Put(" ");
  reply.PutNumber(value.size());
  if (with_cas) {
    reply.Put(" ");
    reply.PutNumber(MemcachedCas(entry, attributes));
  }
  reply.Put("\r\n");
  if (shared) [[unlikely]] {
    reply.Finish();
    out.AppendShared(std::move(*shared));
    return out.Append("\r\n");
  }
  reply.Put(value);
  reply.Put("\r\n");
  reply.Finish();
}

void ReplyValue(MemcachedContext& ctx, const MemcachedRequest& request, const store::Entry& entry,
                bool with_cas) {
  if (request.is_binary) return ReplyBinaryValue(ctx, request, entry);
  AppendValue(ctx.out, request.key, entry, with_cas);
}

void ReplyEnd(MemcachedContext& ctx, const MemcachedRequest& request, bool found) {
  if (request.is_binary) {
    if (!found) ReplyBinaryMiss(ctx, request);
  } else if (request.last_key) {
    ctx.out.Append(kMemcachedEnd);
  }
}

// get, gets. Cost: O(1) and one copy of the value; no allocation.
void Get(MemcachedContext& ctx, const MemcachedRequest& request) {
  ctx.counters.cmd_get.Add();
  store::Found found = FindMemcached(ctx);
  if (found) {
    ctx.counters.get_hits.Add();
    found.entry.AddMemcachedState(kMemcachedFetched);
    ReplyValue(ctx, request, found.entry, request.command == MemcachedCommand::kGets);
  } else {
    CountGetMiss(ctx);
  }
  ReplyEnd(ctx, request, static_cast<bool>(found));
}

// gat, gats: a get that moves the deadline.
void GetAndTouch(MemcachedContext& ctx, const MemcachedRequest& request) {
  ctx.counters.cmd_touch.Add();
  ctx.counters.cmd_get.Add();
  store::Found found = FindMemcached(ctx);
  if (found) {
    ctx.counters.get_hits.Add();
    ctx.counters.touch_hits.Add();
    found.entry.AddMemcachedState(kMemcachedFetched);
    const size_t begin = ctx.out.size();
    ReplyValue(ctx, request, found.entry, request.command == MemcachedCommand::kGats);
    const UnixMillis deadline = MemcachedDeadline(request.exptime, ctx.now());
    if (!SetMemcachedDeadline(ctx, found, deadline).ok()) {
      ctx.out.Truncate(begin);
      return ReplyOutcome(ctx, request, MemcachedOutcome::kOutOfMemory);
    }
    return ReplyEnd(ctx, request, true);
  }
  CountGetMiss(ctx);
  ctx.counters.touch_misses.Add();
  ReplyEnd(ctx, request, false);
}

void Touch(MemcachedContext& ctx, const MemcachedRequest& request) {
  ctx.counters.cmd_touch.Add();
  store::Found found = FindMemcached(ctx);
  if (!found) {
    ctx.counters.touch_misses.Add();
    return ReplyOutcome(ctx, request, MemcachedOutcome::kNotFound);
  }
  ctx.counters.touch_hits.Add();
  found.entry.AddMemcachedState(kMemcachedFetched);
  const size_t begin = ctx.out.size();
  if (request.is_binary) {
    ReplyBinaryTouched(ctx, request, found.entry);
  } else {
    ReplyLine(ctx, request, "TOUCHED\r\n");
  }
  // Last, since it may move or remove the entry.
  const UnixMillis deadline = MemcachedDeadline(request.exptime, ctx.now());
  if (SetMemcachedDeadline(ctx, found, deadline).ok()) return;
  ctx.out.Truncate(begin);
  ReplyOutcome(ctx, request, MemcachedOutcome::kOutOfMemory);
}

char ModeOf(MemcachedCommand command) {
  switch (command) {
    case MemcachedCommand::kAdd:
      return 'E';
    case MemcachedCommand::kReplace:
      return 'R';
    case MemcachedCommand::kAppend:
      return 'A';
    case MemcachedCommand::kPrepend:
      return 'P';
    default:
      return 'S';
  }
}

void Store(MemcachedContext& ctx, const MemcachedRequest& request) {
  const char mode = ModeOf(request.command);
  const bool extends = mode == 'A' || mode == 'P';
  const bool compare_cas =
      request.command == MemcachedCommand::kCas || (extends && request.cas != 0);
  const auto result = StoreRequest(ctx, request, mode, compare_cas);
  ReplyOutcome(ctx, request, result.stored, result.cas);
}

void Delete(MemcachedContext& ctx, const MemcachedRequest& request) {
  const store::Found found = PeekMemcached(ctx);
  if (!found) {
    if (HoldsOtherType(ctx)) return ReplyOutcome(ctx, request, MemcachedOutcome::kOtherType);
    ctx.counters.delete_misses.Add();
    return ReplyOutcome(ctx, request, MemcachedOutcome::kNotFound);
  }
  // Only a binary delete can have a CAS.
  if (request.cas != 0 && request.cas != MemcachedCas(found.entry)) {
    return ReplyOutcome(ctx, request, MemcachedOutcome::kExists);
  }
  EraseMemcached(ctx);
  ctx.counters.delete_hits.Add();
  ReplyOutcome(ctx, request, MemcachedOutcome::kDeleted);
}

void RefuseTooLarge(MemcachedContext& ctx, const MemcachedRequest& request) {
  ctx.counters.store_too_large.Add();
  if (ctx.observation != nullptr) ctx.observation->stored = "too_large";
  if (request.erase_old && PeekMemcached(ctx)) EraseMemcached(ctx);
  if (request.is_binary) return wire::WriteBinaryStatus(ctx.out, request, request.status);
  ctx.out.Append(request.reply);
}

}  // namespace

void RunMemcached(MemcachedContext& ctx, const MemcachedRequest& request) {
  switch (request.command) {
    case MemcachedCommand::kGet:
    case MemcachedCommand::kGets:
      return Get(ctx, request);
    case MemcachedCommand::kGat:
    case MemcachedCommand::kGats:
      return GetAndTouch(ctx, request);
    case MemcachedCommand::kSet:
    case MemcachedCommand::kAdd:
    case MemcachedCommand::kReplace:
    case MemcachedCommand::kAppend:
    case MemcachedCommand::kPrepend:
    case MemcachedCommand::kCas:
      return Store(ctx, request);
    case MemcachedCommand::kDelete:
      return Delete(ctx, request);
    case MemcachedCommand::kIncr:
    case MemcachedCommand::kDecr:
      return RunIncrement(ctx, request);
    case MemcachedCommand::kTouch:
      return Touch(ctx, request);
    case MemcachedCommand::kTooLarge:
      return RefuseTooLarge(ctx, request);
    case MemcachedCommand::kMetaGet:
      return RunMetaGet(ctx, request);
    case MemcachedCommand::kMetaSet:
      return RunMetaSet(ctx, request);
    case MemcachedCommand::kMetaDelete:
      return RunMetaDelete(ctx, request);
    case MemcachedCommand::kMetaArithmetic:
      return RunMetaArithmetic(ctx, request);
    case MemcachedCommand::kMetaDebug:
      return RunMetaDebug(ctx, request);
    default:
      return RunMemcachedAdmin(ctx, request);
  }
}

MemcachedDemand DemandOf(const MemcachedRequest& request) {
  switch (request.command) {
    case MemcachedCommand::kSet:
    case MemcachedCommand::kAdd:
    case MemcachedCommand::kReplace:
    case MemcachedCommand::kAppend:
    case MemcachedCommand::kPrepend:
    case MemcachedCommand::kCas:
    case MemcachedCommand::kMetaSet:
    case MemcachedCommand::kIncr:
    case MemcachedCommand::kDecr:
    case MemcachedCommand::kMetaArithmetic:
      return {.writes = true, .grows = true};
    case MemcachedCommand::kGat:
    case MemcachedCommand::kGats:
    case MemcachedCommand::kTouch:
    case MemcachedCommand::kDelete:
    case MemcachedCommand::kMetaDelete:
    case MemcachedCommand::kFlushAll:
    case MemcachedCommand::kTooLarge:
      return {.writes = true};
    case MemcachedCommand::kMetaGet:
      return {.writes = request.meta.Has('N') || request.meta.Has('T'),
              .grows = request.meta.Has('N')};
    default:
      return {};
  }
}

void RefuseMemcached(const MemcachedRequest& request, Fault fault, wire::OutputBuffer& out) {
  if (request.is_binary) return RefuseBinary(request, fault, out);
  const bool is_meta = request.command >= MemcachedCommand::kMetaGet && request.has_key();
  // Of a retrieval of several keys one is answered, for all.
  if (!request.last_key || (request.noreply && !is_meta)) return;
  switch (fault) {
    case Fault::kOutOfMemory:
      return out.Append(wire::kMemcachedOutOfMemory);
    case Fault::kReadOnlyReplica:
      return out.Append("SERVER_ERROR this node is a read-only replica\r\n");
    case Fault::kTooFewReplicas:
      return out.Append("SERVER_ERROR not enough good replicas to write\r\n");
    case Fault::kLogFailed:
      return out.Append("SERVER_ERROR the append log cannot be written\r\n");
    case Fault::kCannotSave:
      return out.Append("SERVER_ERROR the last snapshot could not be saved\r\n");
    case Fault::kFenced:
      return out.Append("SERVER_ERROR the lease of this node has ended\r\n");
    case Fault::kMasterDown:
      return out.Append("SERVER_ERROR the link to the primary is down\r\n");
    case Fault::kLoading:
      return out.Append("SERVER_ERROR the data set is being loaded\r\n");
    case Fault::kNoAuth:
      return out.Append("CLIENT_ERROR unauthenticated\r\n");
    default:
      return out.Append("SERVER_ERROR the request cannot be served\r\n");
  }
}

}  // namespace mikura::engine
