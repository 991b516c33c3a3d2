// SPDX-License-Identifier: Apache-2.0
// Gathers entries from many threads as RDB data, until the walker takes them.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/store/shard.h"

namespace mikura::engine {

class EntryCollector final : public store::EntryConsumer {
 public:
  // RDB bytes, followed by a large value when there is one.
  struct Piece {
    std::string bytes;
    store::SharedValue value;
  };

  // Under the entry's shard lock, on the thread of whoever changes its chain. The stripe's lock
  // inside is a leaf: held for a copy of at most kInlineValueMax bytes and a key.
  void Consume(int database, const store::Entry& entry) override;

  // Everything gathered so far; each run of pieces of one stripe selects its databases itself.
  std::vector<Piece> Take();

 private:
  // Writers of different stripes do not meet.
  static constexpr size_t kStripes = 16;
  static constexpr size_t kPieceBytes = 64 * 1024;

  struct alignas(64) Stripe {
    Mutex mutex;
    int database GUARDED_BY(mutex) = -1;  // selected by the bytes gathered so far
    std::string bytes GUARDED_BY(mutex);
    std::vector<Piece> pieces GUARDED_BY(mutex);
  };

  std::array<Stripe, kStripes> stripes_;
};

}  // namespace mikura::engine
