// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/entry_collector.h"

#include "base/check.h"
#include "base/thread_index.h"
#include "engine/persistence/rdb_value_writer.h"
#include "engine/persistence/rdb_writer.h"

namespace mikura::engine {

void EntryCollector::Consume(int database, const store::Entry& entry) {
  Stripe& stripe = stripes_[ThreadIndex() % kStripes];
  MutexLock lock(stripe.mutex);
  stripe.gathered += entry.key().size() + entry.value().size();
  if (stripe.database != database) {
    AppendRdbSelect(stripe.bytes, database);
    stripe.database = database;
  }
  const store::Attributes attributes = entry.attributes();
  if (entry.type() != store::ValueType::kString) return AddCollection(stripe, entry, attributes);
  if (entry.is_external()) {
    AppendRdbStringHead(stripe.bytes, entry.key(), entry.value().size(), attributes);
    stripe.pieces.push_back({std::exchange(stripe.bytes, {}), entry.Share()});
    return;
  }
  AppendRdbString(stripe.bytes, entry.key(), entry.value(), attributes);
  if (stripe.bytes.size() >= kPieceBytes) {
    stripe.pieces.push_back({std::exchange(stripe.bytes, {}), {}});
  }
}

// A small one is written here, a large one by whoever takes the pieces.
void EntryCollector::AddCollection(Stripe& stripe, const store::Entry& entry,
                                   const store::Attributes& attributes) {
  if (collections::Collection* const large = entry.collection()) {
    AppendRdbKey(stripe.bytes, RdbTypeOf(*large), entry.key(), attributes);
    stripe.pieces.push_back(
        {std::exchange(stripe.bytes, {}), {}, SharedCollection(memory_, large)});
    return;
  }
  const auto small = OpenPacked(memory_, entry.type(), entry.value());
  AppendRdbKey(stripe.bytes, RdbTypeOf(*small), entry.key(), attributes);
  const Status appended =
      AppendRdbCollection(stripe.bytes, *small, [](std::string&) { return Status(); });
  CHECK(appended.ok());
}

std::vector<EntryCollector::Piece> EntryCollector::Take() {
  std::vector<Piece> all;
  for (Stripe& stripe : stripes_) {
    MutexLock lock(stripe.mutex);
    for (Piece& piece : stripe.pieces) all.push_back(std::move(piece));
    stripe.pieces.clear();
    if (!stripe.bytes.empty()) all.push_back({std::exchange(stripe.bytes, {}), {}});
    stripe.database = -1;
    stripe.gathered = 0;
  }
  return all;
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
