// SPDX-License-Identifier: Apache-2.0
// A consumer group of a stream: how far it has read, its consumers, and what was delivered to them
// and not acknowledged.
//
// A copy costs O(1) and shares the trees.
//
// Rules, checked by CheckInvariants():
//   G1. pending_ holds each pending entry once, in order of the ids; by_consumer_ the same ones, in
//       order of the consumer's number, then of the ids.
//   G2. Each consumer is in consumers_, in order of the numbers, and in by_name_, in order of the
//       names' bytes. Every pending entry has such a consumer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/collections/element_tree.h"
#include "engine/collections/stream_id.h"

namespace mikura::engine::collections {

// `name` is valid until the next change of the group.
struct StreamConsumer {
  uint64_t number = 0;  // never used again in its group
  std::string_view name;
  int64_t seen_at = 0;     // when it last asked, milliseconds
  int64_t active_at = -1;  // when it last got something; -1: never
};

struct PendingEntry {
  StreamId id;
  uint64_t consumer = 0;
  int64_t delivered_at = 0;  // milliseconds, not negative
  uint64_t deliveries = 0;
};

class StreamGroup {
 public:
  // What entries_read() says when it is not known.
  static constexpr int64_t kNotKnown = -1;

  StreamGroup(NodeMemory& memory, std::string_view name, StreamId last_id, int64_t entries_read);

  const std::string& name() const { return name_; }
  StreamId last_id() const { return last_id_; }
  void set_last_id(StreamId id) { last_id_ = id; }
  int64_t entries_read() const { return entries_read_; }
  void set_entries_read(int64_t entries) { entries_read_ = entries; }
  size_t memory_bytes() const;

  // ---- Consumers. Cost: O(log n).
  uint64_t consumer_count() const { return consumers_.size(); }
  std::optional<StreamConsumer> FindConsumer(std::string_view name) const;
  // It must be there.
  StreamConsumer ConsumerAt(uint64_t number) const;
  // In order of the names; index < consumer_count().
  StreamConsumer ConsumerByRank(uint64_t index) const;
  // There must be none of that name. Returns its number.
  uint64_t AddConsumer(std::string_view name, int64_t now);
  void SetSeen(uint64_t number, int64_t seen_at, int64_t active_at);
  // With its pending entries; returns their number.
  uint64_t RemoveConsumer(uint64_t number);

  // ---- Pending entries. Cost: O(log n).
  uint64_t pending_count() const { return pending_.size(); }
  uint64_t PendingCountOf(uint64_t consumer) const;
  std::optional<PendingEntry> FindPending(StreamId id) const;
  // Replaces what was pending under that id.
  void SetPending(const PendingEntry& entry);
  // False when it is not pending.
  bool RemovePending(StreamId id);
  // The ids of the first and of the last; there must be one.
  StreamId first_pending() const { return StreamIdOf(pending_.At(0)); }
  StreamId last_pending() const { return StreamIdOf(pending_.At(pending_.size() - 1)); }

  // Walks pending entries from an id on: all, or those of one consumer. Valid until the next change
  // of the group.
  class PendingCursor {
   public:
    PendingCursor(const StreamGroup& group, StreamId from);
    PendingCursor(const StreamGroup& group, StreamId from, uint64_t consumer);
    bool at_end() const;
    PendingEntry entry() const;
    void Next() { cursor_.Next(); }

   private:
    const StreamGroup& group_;
    std::optional<uint64_t> consumer_;
    ElementTree::Cursor cursor_;
  };

  // Aborts when a rule is broken. O(n), for tests.
  void CheckInvariants() const;

 private:
  static PendingEntry PendingOf(std::string_view element);
  static StreamConsumer ConsumerOf(std::string_view element);
  uint64_t PendingPlace(StreamId id) const;
  uint64_t PlaceByConsumer(uint64_t consumer, StreamId id) const;
  uint64_t PlaceByName(std::string_view name) const;
  uint64_t ConsumerPlace(uint64_t number) const;

  std::string name_;
  StreamId last_id_;
  int64_t entries_read_;
  uint64_t next_number_ = 1;
  ElementTree pending_;
  ElementTree by_consumer_;
  ElementTree consumers_;
  ElementTree by_name_;
};

}  // namespace mikura::engine::collections
