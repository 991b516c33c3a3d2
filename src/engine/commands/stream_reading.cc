// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/stream_reading.h"

#include <algorithm>

namespace mikura::engine {
namespace {

uint64_t CountUpTo(const StreamValue& stream, StreamId id) {
  const std::optional<StreamId> next = id.Next();
  return next ? stream.CountBefore(*next) : stream.size();
}

// Moves the group on to the entry with the id.
void Advance(const StreamValue& stream, StreamGroup& group, StreamId id) {
  if (id <= group.last_id()) return;
  if (group.entries_read() != StreamGroup::kNotKnown && !MayHaveGapsFrom(stream, id)) {
    group.set_entries_read(group.entries_read() + 1);
  } else if (stream.entries_added() > 0) {
    group.set_entries_read(stream.EstimateEntriesRead(id));
  }
  group.set_last_id(id);
}

}  // namespace

bool HasEntriesAfter(const StreamValue& stream, StreamId after) {
  return CountUpTo(stream, after) < stream.size();
}

FaultOr<> StreamReader::Take(const Key& key, const StreamSource& source) {
  if (!reading_.is_group) {
    ASSIGN_OR_RETURN(const StreamView& stream, keys_.View<StreamValue>(key));
    if (!stream) return Ok();
    const uint64_t index = CountUpTo(*stream, source.after);
    if (index == stream->size()) return Ok();
    taken_.push_back({.key = key, .index = index, .count = Limit(stream->size() - index)});
    return Ok();
  }
  ASSIGN_OR_RETURN(StreamEdit && stream, keys_.Edit<StreamValue>(key));
  StreamGroup* const group = stream.existed() ? stream->FindGroup(reading_.group) : nullptr;
  if (group == nullptr) return Ok();
  if (source.is_new) {
    TakeNew(key, *stream, *group);
  } else {
    TakeHistory(key, *group, source.after, *stream);
  }
  return stream.CommitUnobserved();
}

void StreamReader::TakeNew(const Key& key, StreamValue& stream, StreamGroup& group) {
  const uint64_t index = CountUpTo(stream, group.last_id());
  if (index == stream.size()) return;
  taken_.push_back({.key = key, .index = index, .count = Limit(stream.size() - index)});
  Deliver(key, stream, group, taken_.back());
}

void StreamReader::Deliver(const Key& key, StreamValue& stream, StreamGroup& group,
                           const Taken& taken) {
  const ConsumerPlace consumer = EnsureConsumer(keys_, key, group, reading_.consumer, true);
  PendingEffects effects(keys_, key, group);
  stream.VisitRange(taken.index, taken.count, false, [&](const StreamEntry& entry) {
    Advance(stream, group, entry.id());
    if (!reading_.acknowledges_at_once) {
      const PendingEntry pending{entry.id(), consumer.number, keys_.now(), 1};
      group.SetPending(pending);
      effects.Add(pending);
    }
    return true;
  });
  if (consumer.is_new && !effects.has_any()) {
    keys_.effects().Add(keys_.database(),
                        {"XGROUP", "CREATECONSUMER", key.name, group.name(), reading_.consumer});
  }
  effects.Flush();
  AddGroupPositionEffect(keys_, key, group);
}

// What was given to the consumer before is given again. Replicas are not told how often.
void StreamReader::TakeHistory(const Key& key, StreamGroup& group, StreamId after,
                               const StreamValue& stream) {
  const ConsumerPlace consumer = EnsureConsumer(keys_, key, group, reading_.consumer, false);
  if (consumer.is_new) {
    keys_.effects().Add(keys_.database(),
                        {"XGROUP", "CREATECONSUMER", key.name, group.name(), reading_.consumer});
  }
  Taken taken{.key = key, .is_history = true};
  if (const std::optional<StreamId> from = after.Next()) {
    std::vector<PendingEntry> again;
    for (StreamGroup::PendingCursor c(group, *from, consumer.number);
         !c.at_end() && (reading_.count == 0 || taken.history.size() < reading_.count); c.Next()) {
      const PendingEntry entry = c.entry();
      taken.history.push_back(entry.id);
      if (stream.Contains(entry.id)) again.push_back(entry);
    }
    for (PendingEntry& entry : again) {
      entry.delivered_at = keys_.now();
      ++entry.deliveries;
      group.SetPending(entry);
    }
  }
  taken_.push_back(std::move(taken));
}

FaultOr<> StreamReader::Reply(wire::RespWriter& reply) {
  const bool is_map = reply.version() >= 3;
  if (is_map) {
    reply.Map(taken_.size());
  } else {
    reply.Array(taken_.size());
  }
  for (const Taken& taken : taken_) {
    ASSIGN_OR_RETURN(const StreamView& stream, keys_.View<StreamValue>(taken.key));
    if (!is_map) reply.Array(2);
    reply.Bulk(taken.key.name);
    if (!taken.is_history) {
      ReplyStreamRange(keys_, reply, *stream, taken.index, taken.count);
      continue;
    }
    reply.Array(taken.history.size());
    for (const StreamId id : taken.history) {
      if (stream->Contains(id)) {
        ReplyStreamEntry(reply, stream->At(stream->CountBefore(id)));
      } else {
        reply.Array(2);
        reply.Bulk(StreamIdText(id));
        reply.NullArray();
      }
    }
  }
  return Ok();
}

}  // namespace mikura::engine
