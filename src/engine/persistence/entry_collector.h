// SPDX-License-Identifier: Apache-2.0
// Gathers entries from many threads as RDB data or as commands, until the walker takes them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/thread_index.h"
#include "engine/persistence/rdb_output.h"
#include "engine/persistence/snapshot_backlog.h"
#include "engine/store/shard.h"

namespace mikura::engine {

// One ownership of a large collection.
class SharedCollection {
 public:
  SharedCollection() = default;
  SharedCollection(store::CollectionMemory& memory, collections::Collection* collection)
      : memory_(&memory), collection_(collection) {
    collection_->Acquire();
  }
  SharedCollection(SharedCollection&& other) noexcept
      : memory_(other.memory_), collection_(std::exchange(other.collection_, nullptr)) {}
  SharedCollection& operator=(SharedCollection&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(collection_, other.collection_);
    return *this;
  }
  ~SharedCollection() {
    if (collection_ != nullptr) memory_->Release(collection_);
  }

  const collections::Collection* get() const { return collection_; }

 private:
  store::CollectionMemory* memory_ = nullptr;
  collections::Collection* collection_ = nullptr;
};

// What a snapshot is made of.
enum class SnapshotForm : uint8_t { kRdb, kCommands };

class EntryCollector final : public store::EntryConsumer {
 public:
  // memory: of the collections that are gathered. backlog: counts what writers hand over; may be
  // null.
  EntryCollector(store::CollectionMemory& memory, SnapshotBacklog* backlog, SnapshotForm form)
      : memory_(memory), backlog_(backlog), form_(form) {}
  ~EntryCollector() override {
    if (backlog_ != nullptr) backlog_->Remove(counted_.load(std::memory_order_relaxed));
  }
  EntryCollector(const EntryCollector&) = delete;
  EntryCollector& operator=(const EntryCollector&) = delete;

  // What this thread hands over it writes itself before it walks on: it does not count.
  void SetWalker() { walker_.store(ThreadIndex(), std::memory_order_relaxed); }

  // RDB bytes, followed by a large value when there is one: a string, whose length and bytes are
  // yet to be written, or a collection, whose body is. Or commands, followed by those that make the
  // large value, all of which are yet to be written.
  struct Piece {
    std::string bytes;
    RdbPlainTexts texts = {};  // that may be compressed
    uint64_t entries = 0;
    uint64_t counted = 0;  // in the backlog
    store::SharedValue value = {};
    SharedCollection collection = {};
    // ---- Of the large value, as commands.
    std::string key = {};
    store::Attributes attributes = {};
  };

  // Under the entry's shard lock, on the thread of whoever changes its chain. The stripe's lock
  // inside is a leaf: held for a copy of at most kInlineValueMax bytes and a key.
  void Consume(int database, const store::Entry& entry) override;

  // Everything gathered so far; each run of pieces of one stripe selects its databases itself.
  std::vector<Piece> Take();
  // The piece was written: frees it.
  void Release(Piece& piece);
  // What has been gathered and not been taken yet: about what it costs.
  uint64_t gathered_bytes() const;

 private:
  // Writers of different stripes do not meet.
  static constexpr size_t kStripes = 16;
  static constexpr size_t kPieceBytes = 64 * 1024;

  struct alignas(64) Stripe {
    mutable Mutex mutex;
    uint64_t gathered GUARDED_BY(mutex) = 0;
    int database GUARDED_BY(mutex) = -1;  // selected by the bytes gathered so far
    Piece open GUARDED_BY(mutex);         // without a large value yet
    std::vector<Piece> pieces GUARDED_BY(mutex);
  };

  static void Close(Stripe& stripe) REQUIRES(stripe.mutex) {
    stripe.pieces.push_back(std::exchange(stripe.open, {}));
  }
  void AddAsRdb(Stripe& stripe, const store::Entry& entry) REQUIRES(stripe.mutex);
  void AddAsCommands(Stripe& stripe, const store::Entry& entry) REQUIRES(stripe.mutex);
  void AddCollection(Stripe& stripe, const store::Entry& entry, const store::Attributes& attributes)
      REQUIRES(stripe.mutex);

  store::CollectionMemory& memory_;
  SnapshotBacklog* const backlog_;
  const SnapshotForm form_;
  std::atomic<uint64_t> counted_{0};  // of backlog_, by this
  std::atomic<size_t> walker_{SIZE_MAX};
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace mikura::engine
