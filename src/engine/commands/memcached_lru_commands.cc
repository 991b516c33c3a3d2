// SPDX-License-Identifier: Apache-2.0
// lru_crawler, lru, slabs and watch. What tunes memcached's lists and slabs is remembered and shown
// by `stats settings`; expired entries are removed all the time, and entries are never moved.
#include <fmt/format.h>

#include <optional>

#include "base/numbers.h"
#include "engine/commands/memcached_handlers.h"
#include "engine/commands/memcached_key_dump.h"
#include "engine/commands/memcached_replies.h"
#include "engine/keyspace/expiry_job.h"
#include "wire/memcached_lines.h"
#include "wire/memcached_numbers.h"

namespace mikura::engine {
namespace {

using wire::kMemcachedBadLine;
using wire::kMemcachedError;
using wire::MemcachedRequest;
using wire::MemcachedWords;

constexpr uint32_t kSleepMaxMicros = 1'000'000;
constexpr uint32_t kHotAndWarmMaxPercent = 80;

// Whether `list` names classes: "all", or numbers with commas between.
bool NamesClasses(std::string_view list) {
  if (list == "all") return true;
  while (!list.empty()) {
    const std::string_view word = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), word.size() + 1));
    const auto id = wire::ReadMemcachedUint32(word);
    if (!id || *id < 1 || *id >= MemcachedClasses::kClassMax) return false;
  }
  return true;
}

void Crawl(MemcachedContext& ctx, std::string_view classes) {
  if (!ctx.services.Tuning().IsOn("lru_crawler")) {
    return ctx.out.Append("CLIENT_ERROR lru crawler disabled\r\n");
  }
  if (!NamesClasses(classes)) return ctx.out.Append("BADCLASS invalid class id\r\n");
  ExpiryJob(ctx.keyspace, 0, kShardCount).Run(ctx.now());
  ctx.out.Append(kMemcachedOk);
}

void DumpKeys(MemcachedContext& ctx, std::string_view what, std::string_view classes) {
  if (!ctx.services.Tuning().IsOn("lru_crawler")) {
    return ctx.out.Append("CLIENT_ERROR lru crawler disabled\r\n");
  }
  if (!ctx.settings.dump_enabled)
    return ctx.out.Append(fmt::format("ERROR {} not allowed\r\n", what));
  if (ctx.connection.has_unsent_replies) {
    return ctx.out.Append(fmt::format("ERROR cannot pipeline other commands before {}\r\n", what));
  }
  if (classes != "hash" && !NamesClasses(classes)) {
    return ctx.out.Append("BADCLASS invalid class id\r\n");
  }
  const auto form =
      what == "mgdump" ? MemcachedDumpForm::kRequests : MemcachedDumpForm::kAttributes;
  ctx.connection.source = MakeMemcachedKeyDump(ctx, classes, form);
}

void SetCrawler(MemcachedContext& ctx, const char* name, std::string_view value, uint32_t most,
                std::string_view too_much) {
  const auto number = wire::ReadMemcachedUint32(value);
  if (!number) return ctx.out.Append(kMemcachedBadLine);
  if (*number > most) return ctx.out.Append(too_much);
  ctx.services.Tuning().Set(name, std::to_string(*number));
  ctx.out.Append(kMemcachedOk);
}

void Tune(MemcachedContext& ctx, const MemcachedRequest& request, const MemcachedWords& words) {
  const auto hot = wire::ReadMemcachedUint32(words[1]);
  const auto warm = wire::ReadMemcachedUint32(words[2]);
  const auto hot_factor = ParseDouble(words[3]);
  const auto warm_factor = ParseDouble(words[4]);
  if (!hot || !warm || !hot_factor || !warm_factor) return ReplyLine(ctx, request, kMemcachedError);
  if (uint64_t{*hot} + *warm > kHotAndWarmMaxPercent) {
    return ReplyLine(ctx, request, "ERROR hot and warm pcts must not exceed 80\r\n");
  }
  if (!(*hot_factor > 0) || !(*warm_factor > 0)) {
    return ReplyLine(ctx, request, "ERROR hot/warm age factors must be greater than 0\r\n");
  }
  MemcachedTuning& tuning = ctx.services.Tuning();
  tuning.Set("hot_lru_pct", std::to_string(*hot));
  tuning.Set("warm_lru_pct", std::to_string(*warm));
  tuning.Set("hot_max_factor", fmt::format("{:.2f}", *hot_factor));
  tuning.Set("warm_max_factor", fmt::format("{:.2f}", *warm_factor));
  ReplyLine(ctx, request, kMemcachedOk);
}

void SetTemporaryTtl(MemcachedContext& ctx, const MemcachedRequest& request,
                     std::string_view value) {
  const auto ttl = wire::ReadMemcachedInt32(value);
  if (!ttl) return ReplyLine(ctx, request, kMemcachedError);
  ctx.services.Tuning().Set("temp_lru", *ttl < 0 ? "no" : "yes");
  if (*ttl >= 0) ctx.services.Tuning().Set("temporary_ttl", std::to_string(*ttl));
  ReplyLine(ctx, request, kMemcachedOk);
}

// slabs reassign: the words are checked as memcached does, and then there is no page to move.
void Reassign(MemcachedContext& ctx, const MemcachedWords& words) {
  const auto from = wire::ReadMemcachedInt32(words[1]);
  const auto to = wire::ReadMemcachedInt32(words[2]);
  if (!ctx.services.Tuning().IsOn("slab_reassign")) {
    return ctx.out.Append("CLIENT_ERROR slab reassignment disabled\r\n");
  }
  if (!from || !to) return ctx.out.Append(kMemcachedBadLine);
  if (*from == *to) return ctx.out.Append("SAME src and dst class are identical\r\n");
  constexpr auto kClassMax = static_cast<int32_t>(MemcachedClasses::kClassMax);
  if (*from < -1 || *from > kClassMax || *to < 0 || *to > kClassMax) {
    return ctx.out.Append("BADCLASS invalid src or dst class id\r\n");
  }
  ctx.out.Append("NOSPARE source class has no spare pages\r\n");
}

void Automove(MemcachedContext& ctx, const MemcachedRequest& request, const MemcachedWords& words) {
  MemcachedTuning& tuning = ctx.services.Tuning();
  if (words[1] == "ratio") {
    const auto ratio = words.count > 2 ? ParseDouble(words[2]) : std::nullopt;
    if (!ratio) return ReplyLine(ctx, request, kMemcachedError);
    tuning.Set("slab_automove_ratio", fmt::format("{:.2f}", *ratio));
    return ReplyLine(ctx, request, kMemcachedOk);
  }
  const auto level = wire::ReadMemcachedUint32(words[1]);
  if (!level) return ReplyLine(ctx, request, kMemcachedBadLine);
  if (*level > 2) return ReplyLine(ctx, request, kMemcachedError);
  tuning.Set("slab_automove", std::to_string(*level));
  ReplyLine(ctx, request, kMemcachedOk);
}

}  // namespace

void RunMemcachedLruCrawler(MemcachedContext& ctx, const MemcachedRequest& request) {
  const MemcachedWords words(request.data);
  const std::string_view what = words.count > 0 ? words[0] : std::string_view();
  if (words.count == 1 && (what == "enable" || what == "disable")) {
    MemcachedTuning& tuning = ctx.services.Tuning();
    const bool enable = what == "enable";
    if (enable && tuning.IsOn("lru_crawler")) {
      return ctx.out.Append("ERROR failed to start lru crawler thread\r\n");
    }
    tuning.Set("lru_crawler", enable ? "yes" : "no");
    return ctx.out.Append(kMemcachedOk);
  }
  if (words.count != 2) return ctx.out.Append(kMemcachedError);
  if (what == "crawl") return Crawl(ctx, words[1]);
  if (what == "metadump" || what == "mgdump") return DumpKeys(ctx, what, words[1]);
  if (what == "tocrawl") return SetCrawler(ctx, "lru_crawler_tocrawl", words[1], UINT32_MAX, "");
  if (what == "sleep") {
    return SetCrawler(ctx, "lru_crawler_sleep", words[1], kSleepMaxMicros,
                      "CLIENT_ERROR sleep must be one second or less\r\n");
  }
  ctx.out.Append(kMemcachedError);
}

void RunMemcachedLru(MemcachedContext& ctx, const MemcachedRequest& request) {
  const MemcachedWords words(request.data);
  if (words.count >= 5 && words[0] == "tune") return Tune(ctx, request, words);
  const bool maintained = ctx.services.Tuning().IsOn("lru_maintainer_thread");
  if (maintained && words.count >= 2 && words[0] == "mode" &&
      (words[1] == "flat" || words[1] == "segmented")) {
    ctx.services.Tuning().Set("lru_segmented", words[1] == "flat" ? "no" : "yes");
    return ReplyLine(ctx, request, kMemcachedOk);
  }
  if (maintained && words.count >= 2 && words[0] == "temp_ttl") {
    return SetTemporaryTtl(ctx, request, words[1]);
  }
  ReplyLine(ctx, request, kMemcachedError);
}

void RunMemcachedSlabs(MemcachedContext& ctx, const MemcachedRequest& request) {
  const MemcachedWords words(request.data);
  if (words.count == 3 && words[0] == "reassign") return Reassign(ctx, words);
  if (words.count >= 2 && words[0] == "automove") return Automove(ctx, request, words);
  ctx.out.Append(kMemcachedError);
}

void RunMemcachedWatch(MemcachedContext& ctx, const MemcachedRequest& request) {
  if (!ctx.settings.watch_enabled) {
    return ctx.out.Append("CLIENT_ERROR watch commands not allowed\r\n");
  }
  if (ctx.connection.has_unsent_replies) {
    return ctx.out.Append("ERROR cannot pipeline other commands before watch\r\n");
  }
  const auto kinds = ReadMemcachedWatch(request.data);
  if (!kinds) return ctx.out.Append(kMemcachedError);
  auto source = ctx.services.Watch(*kinds, ctx.connection.client_id);
  if (source == nullptr) {
    return ctx.out.Append("WATCHER_TOO_MANY log watcher limit reached\r\n");
  }
  ctx.connection.source = std::move(source);
  ctx.out.Append(kMemcachedOk);
}

}  // namespace mikura::engine
