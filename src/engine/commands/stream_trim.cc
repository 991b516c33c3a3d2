// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/stream_trim.h"

#include <algorithm>

#include "engine/commands/fault_replies.h"

namespace mikura::engine {
namespace {

using collections::StreamTrim;

constexpr int64_t kLimitMax = 1'000'000;
constexpr int64_t kLimitWithoutNodes = 10'000;

std::nullopt_t Fail(CommandContext& ctx, std::string_view text) {
  ctx.reply.Error("ERR", text);
  return std::nullopt;
}

std::nullopt_t Fail(CommandContext& ctx, Fault fault) {
  const FaultReply& words = ReplyFor(fault);
  ctx.reply.Error(words.code, words.message);
  return std::nullopt;
}

// How much an approximate trim removes at once when the client does not say.
uint64_t DefaultLimit(const CommandContext& ctx) {
  const int64_t entries =
      std::min(ctx.services.encoding_limits.stream_node_entries.load(std::memory_order_relaxed),
               kLimitMax / 100);
  return static_cast<uint64_t>(entries > 0 ? 100 * entries : kLimitWithoutNodes);
}

}  // namespace

std::optional<StreamReferences> ToStreamReferences(std::string_view word) {
  if (EqualsIgnoreCase(word, "KEEPREF")) return StreamReferences::kKeep;
  if (EqualsIgnoreCase(word, "DELREF")) return StreamReferences::kRemove;
  if (EqualsIgnoreCase(word, "ACKED")) return StreamReferences::kAcknowledged;
  return std::nullopt;
}

std::optional<size_t> StreamTrimParser::Take(size_t at) {
  const std::string_view word = ctx_.args[at];
  const bool has_more = at + 1 < ctx_.args.size();
  if (EqualsIgnoreCase(word, "MAXLEN") && has_more)
    return TakeThreshold(at, StreamTrim::By::kLength);
  if (EqualsIgnoreCase(word, "MINID") && has_more) return TakeThreshold(at, StreamTrim::By::kId);
  if (EqualsIgnoreCase(word, "LIMIT") && has_more) return TakeLimit(at);
  if (const std::optional<StreamReferences> references = ToStreamReferences(word)) {
    options_.references = *references;
    return 1;
  }
  return 0;
}

std::optional<size_t> StreamTrimParser::TakeThreshold(size_t at, StreamTrim::By by) {
  StreamTrim& trim = options_.trim;
  if (trim.by != StreamTrim::By::kNothing) {
    return Fail(ctx_, "syntax error, MAXLEN and MINID options at the same time are not compatible");
  }
  trim.by = by;
  size_t words = 2;
  const std::string_view mark = ctx_.args[at + 1];
  if (at + 2 < ctx_.args.size() && (mark == "~" || mark == "=")) {
    trim.is_approximate = mark == "~";
    words = 3;
  }
  const std::string_view threshold = ctx_.args[at + words - 1];
  if (by == StreamTrim::By::kLength) {
    const std::optional<int64_t> length = ParseInt64(threshold);
    if (!length) return Fail(ctx_, Fault::kNotAnInteger);
    if (*length < 0) return Fail(ctx_, "The MAXLEN argument must be >= 0.");
    trim.length_max = static_cast<uint64_t>(*length);
  } else {
    const FaultOr<StreamId> id = ToStreamId(threshold);
    if (!id.ok()) return Fail(ctx_, id.error());
    trim.id_min = *id;
  }
  return words;
}

std::optional<size_t> StreamTrimParser::TakeLimit(size_t at) {
  const std::optional<int64_t> limit = ParseInt64(ctx_.args[at + 1]);
  if (!limit) return Fail(ctx_, Fault::kNotAnInteger);
  if (*limit < 0) return Fail(ctx_, "The LIMIT argument must be >= 0.");
  options_.trim.limit = static_cast<uint64_t>(*limit);
  has_limit_ = true;
  return 2;
}

std::optional<StreamTrimOptions> StreamTrimParser::Finish() {
  StreamTrim& trim = options_.trim;
  const bool trims = trim.by != StreamTrim::By::kNothing;
  if (trim.limit > 0 && !trims) {
    return Fail(ctx_, "syntax error, LIMIT cannot be used without specifying a trimming strategy");
  }
  if (!is_xadd_ && !trims) {
    return Fail(ctx_, "syntax error, XTRIM must be called with a trimming strategy");
  }
  if (has_limit_ && !trim.is_approximate) {
    return Fail(ctx_, "syntax error, LIMIT cannot be used without the special ~ option");
  }
  if (!has_limit_ && trim.is_approximate) trim.limit = DefaultLimit(ctx_);
  return options_;
}

uint64_t StreamTrimmer::Run() {
  if (options_.trim.by == StreamTrim::By::kNothing) return 0;
  if (options_.references == StreamReferences::kAcknowledged && !stream_.groups().empty()) {
    return removed_ = RemoveAcknowledged();
  }
  removed_ = stream_.CountToTrim(options_.trim);
  if (options_.references == StreamReferences::kRemove && !stream_.groups().empty()) {
    stream_.VisitRange(0, removed_, false, [this](const StreamEntry& entry) {
      ids_.push_back(entry.id());
      return true;
    });
  }
  if (removed_ > 0) stream_.EraseFront(removed_);
  return removed_;
}

// Entries that are still needed stay, and others behind them go in their place. Approximate: looks
// at as many as the limit says.
uint64_t StreamTrimmer::RemoveAcknowledged() {
  StreamTrim exact = options_.trim;
  exact.is_approximate = false;
  const uint64_t wanted = stream_.CountToTrim(exact);
  const bool by_id = options_.trim.by == StreamTrim::By::kId;
  uint64_t seen_max = by_id ? wanted : stream_.size();
  if (options_.trim.limit > 0) seen_max = std::min(seen_max, options_.trim.limit);
  stream_.VisitRange(0, wanted == 0 ? 0 : seen_max, false, [&](const StreamEntry& entry) {
    if (IsAcknowledged(stream_, entry.id())) ids_.push_back(entry.id());
    return ids_.size() < wanted;
  });
  for (const StreamId id : ids_) {
    stream_.Erase(id);
    stream_.set_max_deleted_id(std::max(stream_.max_deleted_id(), id));
  }
  return ids_.size();
}

std::vector<std::string> StreamTrimmer::EffectWords() const {
  if (removed_ == 0) return {};
  const StreamTrim& trim = options_.trim;
  if (options_.references == StreamReferences::kAcknowledged && !ids_.empty()) return {};
  if (trim.by == StreamTrim::By::kLength) {
    const uint64_t length = trim.is_approximate ? stream_.size() : trim.length_max;
    return {"MAXLEN", "=", std::string(NumberText(static_cast<int64_t>(length)))};
  }
  const StreamId id = trim.is_approximate && stream_.size() > 0 ? stream_.first_id() : trim.id_min;
  return {"MINID", "=", std::string(StreamIdText(id))};
}

void StreamTrimmer::RemoveReferences() {
  if (options_.references != StreamReferences::kRemove) return;
  mikura::engine::RemoveReferences(ctx_, key_, stream_, ids_);
}

void StreamTrimmer::AddEffects() const {
  if (options_.references != StreamReferences::kAcknowledged) return;
  AddIdsEffect(ctx_.keys, {"XDEL", key_.name}, ids_);
}

bool IsAcknowledged(const StreamValue& stream, StreamId id) {
  const auto groups = stream.groups();
  return std::all_of(groups.begin(), groups.end(), [id](const StreamGroup& group) {
    return id <= group.last_id() && !group.FindPending(id);
  });
}

void RemoveReferences(CommandContext& ctx, const Key& key, StreamValue& stream,
                      const std::vector<StreamId>& ids) {
  for (StreamGroup& group : stream.groups()) {
    std::vector<StreamId> removed;
    for (const StreamId id : ids) {
      if (group.RemovePending(id)) removed.push_back(id);
    }
    AddIdsEffect(ctx.keys, {"XACK", key.name, group.name()}, removed);
  }
}

}  // namespace mikura::engine
