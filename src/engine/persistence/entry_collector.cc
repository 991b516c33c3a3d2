// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/entry_collector.h"

#include "base/check.h"
#include "engine/keyspace/log_record.h"
#include "engine/persistence/entry_commands.h"
#include "engine/persistence/rdb_format.h"
#include "engine/persistence/rdb_value_writer.h"
#include "engine/persistence/rdb_writer.h"

namespace mikura::engine {

void EntryCollector::Consume(int database, const store::Entry& entry) {
  const size_t thread = ThreadIndex();
  const uint64_t bytes = entry.key().size() + entry.value().size();
  const bool counts = backlog_ != nullptr && thread != walker_.load(std::memory_order_relaxed);
  if (counts) {
    counted_.fetch_add(bytes, std::memory_order_relaxed);
    backlog_->Add(bytes);
  }
  Stripe& stripe = stripes_[thread % kStripes];
  MutexLock lock(stripe.mutex);
  stripe.gathered += bytes;
  Piece& open = stripe.open;
  if (counts) open.counted += bytes;
  if (stripe.database != database) {
    if (form_ == SnapshotForm::kRdb) {
      AppendRdbSelect(open.bytes, database);
    } else {
      AppendSelect(open.bytes, database);
    }
    stripe.database = database;
  }
  ++open.entries;
  if (form_ == SnapshotForm::kRdb) {
    AddAsRdb(stripe, entry);
  } else {
    AddAsCommands(stripe, entry);
  }
  if (stripe.open.bytes.size() >= kPieceBytes) Close(stripe);
}

void EntryCollector::AddAsRdb(Stripe& stripe, const store::Entry& entry) {
  Piece& open = stripe.open;
  const store::Attributes attributes = entry.attributes();
  if (entry.type() != store::ValueType::kString) {
    AddCollection(stripe, entry, attributes);
  } else if (entry.is_external()) {
    AppendRdbKey(open.bytes, kRdbTypeString, entry.key(), attributes, &open.texts);
    open.value = entry.Share();
    return Close(stripe);
  } else {
    AppendRdbString(open.bytes, entry.key(), entry.value(), attributes, &open.texts);
  }
}

void EntryCollector::AddAsCommands(Stripe& stripe, const store::Entry& entry) {
  Piece& open = stripe.open;
  const store::Attributes attributes = entry.attributes();
  const bool is_string = entry.type() == store::ValueType::kString;
  collections::Collection* const large = is_string ? nullptr : entry.collection();
  if (large != nullptr || (is_string && entry.is_external())) {
    open.key = entry.key();
    open.attributes = attributes;
    if (large != nullptr) {
      open.collection = SharedCollection(memory_, large);
    } else {
      open.value = entry.Share();
    }
    return Close(stripe);
  }
  if (is_string) {
    return AppendStringCommands(open.bytes, entry.key(), entry.value(), attributes);
  }
  const auto small = OpenPacked(memory_, entry.type(), entry.value());
  const auto keep_all = [](std::string&) { return Status(); };
  CHECK(AppendCollectionCommands(open.bytes, entry.key(), *small, attributes.deadline, keep_all)
            .ok());
}

// A small one is written here, a large one by whoever takes the pieces.
void EntryCollector::AddCollection(Stripe& stripe, const store::Entry& entry,
                                   const store::Attributes& attributes) {
  Piece& open = stripe.open;
  if (collections::Collection* const large = entry.collection()) {
    AppendRdbKey(open.bytes, RdbTypeOf(*large), entry.key(), attributes, &open.texts);
    open.collection = SharedCollection(memory_, large);
    return Close(stripe);
  }
  const auto small = OpenPacked(memory_, entry.type(), entry.value());
  AppendRdbKey(open.bytes, RdbTypeOf(*small), entry.key(), attributes, &open.texts);
  const auto keep_all = [](std::string&) { return Status(); };
  CHECK(AppendRdbCollection(open.bytes, *small, keep_all, &open.texts).ok());
}

std::vector<EntryCollector::Piece> EntryCollector::Take() {
  std::vector<Piece> all;
  for (Stripe& stripe : stripes_) {
    MutexLock lock(stripe.mutex);
    // Never with a large value: that closes its piece.
    if (!stripe.open.bytes.empty()) Close(stripe);
    for (Piece& piece : stripe.pieces) all.push_back(std::move(piece));
    stripe.pieces.clear();
    stripe.database = -1;
    stripe.gathered = 0;
  }
  return all;
}

void EntryCollector::Release(Piece& piece) {
  const uint64_t counted = piece.counted;
  piece = {};
  if (counted == 0) return;
  counted_.fetch_sub(counted, std::memory_order_relaxed);
  backlog_->Remove(counted);
}

uint64_t EntryCollector::gathered_bytes() const {
  uint64_t bytes = 0;
  for (const Stripe& stripe : stripes_) {
    MutexLock lock(stripe.mutex);
    bytes += stripe.gathered;
  }
  return bytes;
}

}  // namespace mikura::engine
