// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/stream_support.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "engine/commands/long_reply.h"

namespace mikura::engine {
namespace {

constexpr size_t kIdTextMax = 127;

// As Redis reads the parts of an id: a canonical number, or whatever strtoull takes.
std::optional<uint64_t> ToPart(std::string_view text) {
  if (const std::optional<int64_t> number = ParseInt64(text)) {
    if (*number < 0) return std::nullopt;
    return static_cast<uint64_t>(*number);
  }
  if (text.empty()) return std::nullopt;
  const std::string copy(text);  // with an end
  char* end = nullptr;
  errno = 0;
  const uint64_t number = std::strtoull(copy.c_str(), &end, 10);
  if (errno != 0 || end == copy.c_str() || end != copy.c_str() + copy.size()) return std::nullopt;
  return number;
}

}  // namespace

collections::StreamNodeLimits NodeLimitsOf(const Services& services) {
  const EncodingLimits& limits = services.encoding_limits;
  const auto number = [](const std::atomic<int64_t>& limit) {
    return static_cast<uint64_t>(std::max<int64_t>(limit.load(std::memory_order_relaxed), 0));
  };
  return {.bytes = number(limits.stream_node_bytes), .entries = number(limits.stream_node_entries)};
}

FaultOr<StreamId> ToStreamId(std::string_view text, uint64_t missing_seq) {
  if (text.size() > kIdTextMax) return Fault::kInvalidStreamId;
  const size_t dash = text.find('-');
  const std::optional<uint64_t> ms = ToPart(text.substr(0, dash));
  const std::optional<uint64_t> seq =
      dash == std::string_view::npos ? missing_seq : ToPart(text.substr(dash + 1));
  if (!ms || !seq) return Fault::kInvalidStreamId;
  return StreamId{*ms, *seq};
}

FaultOr<StreamId> ToAnyStreamId(std::string_view text, uint64_t missing_seq) {
  if (text == "-") return kFirstStreamId;
  if (text == "+") return kLastStreamId;
  return ToStreamId(text, missing_seq);
}

FaultOr<StreamId> ToRangeStart(std::string_view text) {
  if (text.size() < 2 || text[0] != '(') return ToAnyStreamId(text, 0);
  ASSIGN_OR_RETURN(const StreamId id, ToStreamId(text.substr(1), 0));
  const std::optional<StreamId> next = id.Next();
  if (!next) return Fault::kInvalidRangeStart;
  return *next;
}

FaultOr<StreamId> ToRangeEnd(std::string_view text) {
  if (text.size() < 2 || text[0] != '(') return ToAnyStreamId(text, StreamId::kPartMax);
  ASSIGN_OR_RETURN(const StreamId id, ToStreamId(text.substr(1), StreamId::kPartMax));
  const std::optional<StreamId> previous = id.Previous();
  if (!previous) return Fault::kInvalidRangeEnd;
  return *previous;
}

FaultOr<std::vector<StreamId>> ToStreamIds(std::span<const std::string_view> words) {
  std::vector<StreamId> ids;
  ids.reserve(words.size());
  for (const std::string_view word : words) {
    ASSIGN_OR_RETURN(const StreamId id, ToStreamId(word));
    ids.push_back(id);
  }
  return ids;
}

StreamIdText::StreamIdText(StreamId id) {
  char* end = std::to_chars(text_, text_ + sizeof text_, id.ms).ptr;
  *end++ = '-';
  end = std::to_chars(end, text_ + sizeof text_, id.seq).ptr;
  size_ = static_cast<size_t>(end - text_);
}

// ---- Replies

void ReplyStreamEntry(wire::RespWriter& reply, const StreamEntry& entry) {
  reply.Array(2);
  reply.Bulk(StreamIdText(entry.id()));
  reply.Array(static_cast<size_t>(2 * entry.field_count()));
  entry.VisitFields([&](std::string_view name, std::string_view value) {
    reply.Bulk(name);
    reply.Bulk(value);
  });
}

void ReplyStreamEntries(wire::RespWriter& reply, const StreamValue& stream,
                        const std::vector<StreamId>& ids, bool ids_only) {
  reply.Array(ids.size());
  for (const StreamId id : ids) {
    if (ids_only) {
      reply.Bulk(StreamIdText(id));
    } else {
      ReplyStreamEntry(reply, stream.At(stream.CountBefore(id)));
    }
  }
}

void ReplyStreamRange(KeyAccess& keys, wire::RespWriter& reply, const StreamValue& stream,
                      uint64_t index, uint64_t count, bool downwards) {
  reply.Array(static_cast<size_t>(count));
  if (count == 0) return;
  const auto make_walk = [&](const StreamValue& copy) {
    return RangeWalk(StreamValue::Cursor(copy, downwards ? index + count - 1 : index, downwards),
                     count, [](wire::RespWriter& out, const StreamValue::Cursor& cursor) {
                       ReplyStreamEntry(out, cursor.entry());
                     });
  };
  if (ReplyLater(keys, reply, stream, count, make_walk)) return;
  stream.VisitRange(index, count, downwards, [&](const StreamEntry& entry) {
    ReplyStreamEntry(reply, entry);
    return true;
  });
}

void ReplyNoGroup(wire::RespWriter& reply, std::string_view key, std::string_view group) {
  reply.Error("NOGROUP", fmt::format("No such key '{}' or consumer group '{}'", key, group));
}

void ReplyNoGroupOfKey(wire::RespWriter& reply, std::string_view key, std::string_view group) {
  reply.Error("NOGROUP", fmt::format("No such consumer group '{}' for key name '{}'", group, key));
}

StreamGroup* FindGroupOrReply(CommandContext& ctx, StreamEdit& stream, const Key& key,
                              std::string_view group) {
  StreamGroup* const found = stream.existed() ? stream->FindGroup(group) : nullptr;
  if (found == nullptr) ReplyNoGroup(ctx.reply, key.name, group);
  return found;
}

// ---- Groups

bool MayHaveGapsFrom(const StreamValue& stream, StreamId id) {
  const StreamId removed = stream.max_deleted_id();
  return !removed.is_zero() && stream.size() > 0 && removed >= stream.first_id() && removed >= id;
}

ConsumerPlace EnsureConsumer(KeyAccess& keys, const Key& key, StreamGroup& group,
                             std::string_view name, bool is_active) {
  const UnixMillis now = keys.now();
  const std::optional<StreamConsumer> known = group.FindConsumer(name);
  const uint64_t number = known ? known->number : group.AddConsumer(name, now);
  if (known || is_active) {
    group.SetSeen(number, now, is_active ? now : known->active_at);
  }
  if (!known) keys.Notify(EventClass::kStream, "xgroup-createconsumer", key);
  return {number, !known};
}

void PendingEffects::Add(const PendingEntry& entry) {
  has_any_ = true;
  if (!keys_.effects().active()) return;
  if (!entries_.empty()) {
    const PendingEntry& last = entries_.back();
    if (last.consumer != entry.consumer || last.delivered_at != entry.delivered_at ||
        last.deliveries != entry.deliveries) {
      Flush();
    }
  }
  entries_.push_back(entry);
}

void PendingEffects::Flush() {
  if (entries_.empty()) return;
  const PendingEntry first = entries_.front();
  const std::string consumer(group_.ConsumerAt(first.consumer).name);
  std::vector<StreamIdText> ids;
  ids.reserve(entries_.size());
  for (const PendingEntry& entry : entries_) ids.emplace_back(entry.id);
  const NumberText time(first.delivered_at);
  const NumberText deliveries(static_cast<int64_t>(first.deliveries));
  const StreamIdText last_id(group_.last_id());
  std::vector<std::string_view> words = {"XCLAIM", key_.name, group_.name(), consumer, "0"};
  words.insert(words.end(), ids.begin(), ids.end());
  words.insert(words.end(),
               {"TIME", time, "RETRYCOUNT", deliveries, "FORCE", "JUSTID", "LASTID", last_id});
  keys_.effects().Add(keys_.database(), words);
  entries_.clear();
}

void AddGroupPositionEffect(KeyAccess& keys, const Key& key, const StreamGroup& group) {
  keys.effects().Add(keys.database(),
                     {"XGROUP", "SETID", key.name, group.name(), StreamIdText(group.last_id()),
                      "ENTRIESREAD", NumberText(group.entries_read())});
}

void AddIdsEffect(KeyAccess& keys, std::initializer_list<std::string_view> words,
                  const std::vector<StreamId>& ids) {
  if (ids.empty() || !keys.effects().active()) return;
  std::vector<StreamIdText> texts;
  texts.reserve(ids.size());
  for (const StreamId id : ids) texts.emplace_back(id);
  std::vector<std::string_view> all(words);
  all.insert(all.end(), texts.begin(), texts.end());
  keys.effects().Add(keys.database(), all);
}

}  // namespace mikura::engine
