// SPDX-License-Identifier: Apache-2.0
// Requests without a key: flush_all, version, verbosity, cache_memlimit, shutdown, quit, discovery.
#include <fmt/format.h>

#include <iterator>

#include "engine/commands/memcached_entry.h"
#include "engine/commands/memcached_handlers.h"
#include "engine/commands/memcached_replies.h"
#include "wire/memcached_binary_writer.h"
#include "wire/memcached_lines.h"

namespace mikura::engine {
namespace {

using wire::MemcachedCommand;
using wire::MemcachedRequest;
using wire::MemcachedStatus;

constexpr uint64_t kMemoryLimitMinMegabytes = 8;

// flush_all [delay]: a delay plans the flush, anything else drops what was planned.
void FlushAll(MemcachedContext& ctx, const MemcachedRequest& request) {
  if (!ctx.settings.flush_all_enabled) {
    if (request.is_binary) {
      return wire::WriteBinaryStatus(ctx.out, request, MemcachedStatus::kAuthenticationError);
    }
    return ReplyLine(ctx, request, "CLIENT_ERROR flush_all not allowed\r\n");
  }
  ctx.counters.cmd_flush.Add();
  const UnixMillis at = MemcachedDeadline(request.exptime, ctx.now());
  if (request.exptime > 0 && at > ctx.now()) {
    ctx.services.PlanFlush(at);
  } else {
    ctx.services.PlanFlush(std::nullopt);
    ctx.counters.flushed.Add(ctx.services.FlushedKeys().Flush(ctx.keyspace, ctx.keys.database(),
                                                              ctx.now(), ctx.keys.effects()));
  }
  ReplyOutcome(ctx, request, MemcachedOutcome::kOk);
}

void SetMemoryLimit(MemcachedContext& ctx, const MemcachedRequest& request) {
  if (request.number < kMemoryLimitMinMegabytes) {
    return ReplyLine(ctx, request, "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\n");
  }
  const bool is_set = ctx.services.SetMemoryLimit(request.number << 20);
  ReplyLine(ctx, request,
            is_set ? kMemcachedOk : "MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust\r\n");
}

void Shutdown(MemcachedContext& ctx, const MemcachedRequest& request) {
  if (!ctx.settings.shutdown_enabled) return ctx.out.Append("ERROR: shutdown not enabled\r\n");
  const bool graceful = request.data == "graceful";
  if (!graceful && !request.data.empty()) {
    return ctx.out.Append("CLIENT_ERROR invalid shutdown mode\r\n");
  }
  ctx.connection.close_after_reply = true;
  ctx.services.Shutdown(graceful);
}

// The payload that clients take the nodes from: the version of the list, then the nodes.
std::string ClusterText(const MemcachedCluster& cluster) {
  return fmt::format("{}\n{}\n", cluster.version, cluster.nodes);
}

// config get cluster. An error, as memcached has it, on a node that belongs to no cluster.
void ClusterConfig(MemcachedContext& ctx) {
  const auto cluster = ctx.services.Cluster();
  if (!cluster) return ctx.out.Append(wire::kMemcachedError);
  const std::string text = ClusterText(*cluster);
  ctx.out.Append(fmt::format("CONFIG cluster 0 {}\r\n{}\r\nEND\r\n", text.size(), text));
}

// get AmazonElastiCache:cluster, the older way; a miss on a node that belongs to no cluster.
void ClusterItem(MemcachedContext& ctx, const MemcachedRequest& request) {
  if (const auto cluster = ctx.services.Cluster()) {
    const std::string text = ClusterText(*cluster);
    ctx.out.Append(fmt::format("VALUE {} 0 {}", request.key, text.size()));
    if (request.with_cas_ids) ctx.out.Append(fmt::format(" {}", cluster->version));
    ctx.out.Append(fmt::format("\r\n{}\r\n", text));
  }
  if (request.last_key) ctx.out.Append(kMemcachedEnd);
}

void Version(MemcachedContext& ctx, const MemcachedRequest& request) {
  if (request.is_binary) {
    return wire::WriteBinaryReply(ctx.out, request, {.value = ctx.settings.version});
  }
  ctx.out.Append(fmt::format("VERSION {}\r\n", ctx.settings.version));
}

void Quit(MemcachedContext& ctx, const MemcachedRequest& request) {
  ctx.connection.close_after_reply = true;
  if (request.is_binary) ReplyOutcome(ctx, request, MemcachedOutcome::kOk);
}

// What the parser has decided.
void Reply(MemcachedContext& ctx, const MemcachedRequest& request) {
  if (!request.is_binary) return ctx.out.Append(request.reply);
  if (request.close) ctx.connection.close_after_reply = true;
  wire::WriteBinaryStatus(ctx.out, request, request.status);
}

}  // namespace

void RunMemcachedAdmin(MemcachedContext& ctx, const MemcachedRequest& request) {
  switch (request.command) {
    case MemcachedCommand::kClusterItem:
      return ClusterItem(ctx, request);
    case MemcachedCommand::kClusterConfig:
      return ClusterConfig(ctx);
    case MemcachedCommand::kFlushAll:
      return FlushAll(ctx, request);
    case MemcachedCommand::kVersion:
      return Version(ctx, request);
    case MemcachedCommand::kVerbosity:
      ctx.services.SetVerbosity(request.number);
      return ReplyLine(ctx, request, kMemcachedOk);
    case MemcachedCommand::kStats:
      return request.is_binary ? RunBinaryStats(ctx, request) : RunMemcachedStats(ctx, request);
    case MemcachedCommand::kLru:
      return RunMemcachedLru(ctx, request);
    case MemcachedCommand::kLruCrawler:
      return RunMemcachedLruCrawler(ctx, request);
    case MemcachedCommand::kSlabs:
      return RunMemcachedSlabs(ctx, request);
    case MemcachedCommand::kWatch:
      return RunMemcachedWatch(ctx, request);
    case MemcachedCommand::kCacheMemlimit:
      return SetMemoryLimit(ctx, request);
    case MemcachedCommand::kRefreshCertificates:
      return ReplyLine(ctx, request, ctx.services.RefreshCertificates());
    case MemcachedCommand::kShutdown:
      return Shutdown(ctx, request);
    case MemcachedCommand::kQuit:
      return Quit(ctx, request);
    case MemcachedCommand::kSaslMechanisms:
      return wire::WriteBinaryReply(ctx.out, request, {.value = "PLAIN"});
    case MemcachedCommand::kAuthenticate:
      return RunMemcachedAuthentication(ctx, request);
    default:
      return Reply(ctx, request);
  }
}

}  // namespace mikura::engine
