// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/memcached_commands.h"

#include <charconv>
#include <cstring>

#include "engine/commands/memcached_entry.h"
#include "engine/commands/memcached_handlers.h"
#include "engine/commands/memcached_replies.h"
#include "engine/commands/memcached_storage.h"
#include "wire/memcached_lines.h"

namespace mikura::engine {
namespace {

using wire::MemcachedCommand;
using wire::MemcachedRequest;

// VALUE <key> <flags> <bytes> [<cas>], the value, and line ends: one reservation, one copy.
void AppendValue(wire::OutputBuffer& out, std::string_view key, const store::Entry& entry,
                 bool with_cas) {
  const std::string_view value = entry.value();
  constexpr std::string_view kName = "VALUE ";
  constexpr size_t kNumbersMax = 10 + 20 + 20 + 8;
  char* const begin = out.Reserve(kName.size() + key.size() + kNumbersMax + value.size());
  char* at = begin;
  const auto put = [&at](std::string_view text) {
    std::memcpy(at, text.data(), text.size());
    at += text.size();
  };
  const auto put_number = [&at](uint64_t number) { at = std::to_chars(at, at + 20, number).ptr; };
  put(kName);
  put(key);
  *at++ = ' ';
  put_number(entry.attributes().memcached_flags);
  *at++ = ' ';
  put_number(value.size());
  if (with_cas) {
    *at++ = ' ';
    put_number(MemcachedCas(entry));
  }
  put("\r\n");
  if (!value.empty()) put(value);
  put("\r\n");
  out.Advance(static_cast<size_t>(at - begin));
}

// get, gets. Cost: O(1) and one copy of the value; no allocation.
void Get(MemcachedContext& ctx, const MemcachedRequest& request) {
  ctx.counters.cmd_get.Add();
  store::Found found = FindMemcached(ctx);
  if (found) {
    ctx.counters.get_hits.Add();
    found.entry.AddMemcachedState(kMemcachedFetched);
    AppendValue(ctx.out, request.key, found.entry, request.command == MemcachedCommand::kGets);
  } else {
    ctx.counters.get_misses.Add();
  }
  if (request.last_key) ctx.out.Append(kMemcachedEnd);
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
    AppendValue(ctx.out, request.key, found.entry, request.command == MemcachedCommand::kGats);
    const UnixMillis deadline = MemcachedDeadline(request.exptime, ctx.now());
    if (!SetMemcachedDeadline(ctx, found, deadline).ok()) {
      ctx.out.Truncate(begin);
      ctx.out.Append(wire::kMemcachedOutOfMemory);
      return;
    }
  } else {
    ctx.counters.get_misses.Add();
    ctx.counters.touch_misses.Add();
  }
  if (request.last_key) ctx.out.Append(kMemcachedEnd);
}

void Touch(MemcachedContext& ctx, const MemcachedRequest& request) {
  ctx.counters.cmd_touch.Add();
  store::Found found = FindMemcached(ctx);
  if (!found) {
    ctx.counters.touch_misses.Add();
    return ReplyLine(ctx, request, kMemcachedNotFound);
  }
  ctx.counters.touch_hits.Add();
  found.entry.AddMemcachedState(kMemcachedFetched);
  const UnixMillis deadline = MemcachedDeadline(request.exptime, ctx.now());
  const bool is_touched = SetMemcachedDeadline(ctx, found, deadline).ok();
  ReplyLine(ctx, request, is_touched ? "TOUCHED\r\n" : wire::kMemcachedOutOfMemory);
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
  const bool compare_cas = request.command == MemcachedCommand::kCas;
  const auto result = StoreRequest(ctx, request, ModeOf(request.command), compare_cas);
  switch (result.stored) {
    case MemcachedStored::kStored:
      return ReplyLine(ctx, request, "STORED\r\n");
    case MemcachedStored::kNotStored:
      return ReplyLine(ctx, request, "NOT_STORED\r\n");
    case MemcachedStored::kExists:
      return ReplyLine(ctx, request, "EXISTS\r\n");
    case MemcachedStored::kNotFound:
      return ReplyLine(ctx, request, kMemcachedNotFound);
    case MemcachedStored::kNoMemory:
    case MemcachedStored::kOtherType:
      return ReplyLine(ctx, request, StoreError(result.stored));
  }
}

void Delete(MemcachedContext& ctx, const MemcachedRequest& request) {
  if (!PeekMemcached(ctx)) {
    if (HoldsOtherType(ctx)) return ReplyLine(ctx, request, kMemcachedOtherType);
    ctx.counters.delete_misses.Add();
    return ReplyLine(ctx, request, kMemcachedNotFound);
  }
  EraseMemcached(ctx);
  ctx.counters.delete_hits.Add();
  ReplyLine(ctx, request, "DELETED\r\n");
}

void RefuseTooLarge(MemcachedContext& ctx, const MemcachedRequest& request) {
  ctx.counters.store_too_large.Add();
  if (ctx.observation != nullptr) ctx.observation->stored = "too_large";
  if (request.erase_old && PeekMemcached(ctx)) EraseMemcached(ctx);
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
  const bool is_meta = request.command >= MemcachedCommand::kMetaGet && request.has_key();
  // Of a retrieval of several keys one is answered, for all.
  if (!request.last_key || (request.noreply && !is_meta)) return;
  switch (fault) {
    case Fault::kOutOfMemory:
      return out.Append(wire::kMemcachedOutOfMemory);
    case Fault::kReadOnlyReplica:
      return out.Append("SERVER_ERROR this node is a read-only replica\r\n");
    case Fault::kLoading:
      return out.Append("SERVER_ERROR the data set is being loaded\r\n");
    case Fault::kNoAuth:
      return out.Append("CLIENT_ERROR unauthenticated\r\n");
    default:
      return out.Append("SERVER_ERROR the request cannot be served\r\n");
  }
}

}  // namespace mikura::engine
