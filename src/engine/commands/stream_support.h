// SPDX-License-Identifier: Apache-2.0
// What the stream commands share: ids, replies, and what is told to replicas about groups.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/collections/stream_value.h"
#include "engine/commands/command_support.h"
#include "engine/keyspace/collection_access.h"

namespace mikura::engine {

using collections::kFirstStreamId;
using collections::kLastStreamId;
using collections::PendingEntry;
using collections::StreamConsumer;
using collections::StreamEntry;
using collections::StreamGroup;
using collections::StreamId;
using collections::StreamValue;
using StreamView = CollectionView<StreamValue>;
using StreamEdit = CollectionEdit<StreamValue>;

// The size of a stream's nodes, as the parameters have it.
collections::StreamNodeLimits NodeLimitsOf(const Services& services);

// ---- Ids. Errors: kInvalidStreamId.

// "ms" or "ms-seq"; missing_seq: of the short form.
FaultOr<StreamId> ToStreamId(std::string_view text, uint64_t missing_seq = 0);
// The same, or "-" for the first and "+" for the last.
FaultOr<StreamId> ToAnyStreamId(std::string_view text, uint64_t missing_seq);
// The ends of a range, inclusive; "(" excludes the id itself. Errors: also kInvalidRangeStart and
// kInvalidRangeEnd when nothing is left.
FaultOr<StreamId> ToRangeStart(std::string_view text);
FaultOr<StreamId> ToRangeEnd(std::string_view text);
// Ids at words from `first` on.
FaultOr<std::vector<StreamId>> ToStreamIds(std::span<const std::string_view> words);

// "ms-seq", on the stack.
class StreamIdText {
 public:
  explicit StreamIdText(StreamId id);
  operator std::string_view() const { return {text_, size_}; }  // NOLINT(*-explicit-*)

 private:
  char text_[44];
  size_t size_;
};

// ---- Replies

void ReplyStreamEntry(wire::RespWriter& reply, const StreamEntry& entry);
// Of ids in `ids`, those entries that must be there; or their ids only.
void ReplyStreamEntries(wire::RespWriter& reply, const StreamValue& stream,
                        const std::vector<StreamId>& ids, bool ids_only);
// `count` entries from `index` on.
void ReplyStreamRange(KeyAccess& keys, wire::RespWriter& reply, const StreamValue& stream,
                      uint64_t index, uint64_t count, bool downwards = false);

// The group in an existing stream, or null after the reply that there is none.
StreamGroup* FindGroupOrReply(CommandContext& ctx, StreamEdit& stream, const Key& key,
                              std::string_view group);
void ReplyNoGroup(wire::RespWriter& reply, std::string_view key, std::string_view group);
// The same in the words of XGROUP and XINFO.
void ReplyNoGroupOfKey(wire::RespWriter& reply, std::string_view key, std::string_view group);

// ---- Groups

// Whether an entry that was removed may be at or behind `id`.
bool MayHaveGapsFrom(const StreamValue& stream, StreamId id);

// The consumer's number; it comes into being when there is none of that name. It was seen now, and
// was active when is_active.
struct ConsumerPlace {
  uint64_t number = 0;
  bool is_new = false;
};
ConsumerPlace EnsureConsumer(KeyAccess& keys, const Key& key, StreamGroup& group,
                             std::string_view name, bool is_active);

// What a replica repeats for entries that became pending for a consumer, or whose pending entry
// changed: XCLAIM ... TIME t RETRYCOUNT n FORCE JUSTID LASTID id. Neighbours with the same
// consumer, time and count go together.
class PendingEffects {
 public:
  // All outlive it.
  PendingEffects(KeyAccess& keys, const Key& key, const StreamGroup& group)
      : keys_(keys), key_(key), group_(group) {}
  void Add(const PendingEntry& entry);
  void Flush();
  bool has_any() const { return has_any_; }

 private:
  KeyAccess& keys_;
  const Key& key_;
  const StreamGroup& group_;
  std::vector<PendingEntry> entries_;
  bool has_any_ = false;
};

// XGROUP SETID key group id ENTRIESREAD n.
void AddGroupPositionEffect(KeyAccess& keys, const Key& key, const StreamGroup& group);
// `command` with ids behind its words. None when there are no ids.
void AddIdsEffect(KeyAccess& keys, std::initializer_list<std::string_view> words,
                  const std::vector<StreamId>& ids);

}  // namespace mikura::engine
