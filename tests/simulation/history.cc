// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/history.h"

#include <fmt/format.h>

#include <algorithm>

namespace mikura::simulation {

uint64_t History::CountAcknowledged() const {
  return static_cast<uint64_t>(
      std::count_if(operations_.begin(), operations_.end(),
                    [](const Operation& operation) { return operation.acknowledged; }));
}

void History::NoteReply(int64_t epoch, int node, Micros now) {
  const auto [found, is_new] = acknowledging_.emplace(epoch, node);
  if (!is_new && found->second != node) {
    Fail(fmt::format("V2: nodes {} and {} acknowledge in epoch {}", found->second, node, epoch));
  }
  const int64_t newest = acknowledging_.rbegin()->first;
  if (newest != epoch) {
    Fail(fmt::format("V2: at {} us node {} acknowledges in epoch {}, after epoch {} has begun", now,
                     node, epoch, newest));
  }
}

void History::NoteData(const std::string& id, engine::Lsn lsn, uint64_t digest, int node) {
  const auto [found, is_new] = digests_.emplace(std::pair(id, lsn), digest);
  if (!is_new && found->second != digest) {
    Fail(fmt::format("V3: node {} holds other data than another one at offset {} of {}", node, lsn,
                     id));
  }
}

void History::Check(const std::vector<std::pair<int, int64_t>>& writes) {
  std::map<int, std::map<int64_t, int64_t>> places;  // key -> value -> place of its write
  int64_t place = 0;
  for (const auto& [key, value] : writes) places[key].emplace(value, ++place);
  for (auto& [key, of_key] : places) of_key.emplace(0, 0);
  int key_max = 0;
  for (const Operation& operation : operations_) key_max = std::max(key_max, operation.key);
  for (int key = 0; key <= key_max; ++key) {
    places[key].emplace(0, 0);
    CheckKey(key, places[key]);
  }
}

// Linearizable: in the order of the writes at the end, no operation stands before one that had
// ended when it began. A read stands where its value was written, and behind it, so it may not
// precede anything later than that; nor may it show a write that began after it.
void History::CheckKey(int key, const std::map<int64_t, int64_t>& places) {
  struct Seen {
    const Operation* operation;
    int64_t place;
  };
  std::vector<Seen> seen;
  std::map<int64_t, Micros> began;
  for (const Operation& operation : operations_) {
    if (operation.key != key) continue;
    if (operation.is_write) began.emplace(operation.value, operation.began);
    if (!operation.acknowledged) continue;
    const auto place = places.find(operation.value);
    if (place == places.end()) {
      return Fail(fmt::format("V1: {} {} of key {}, {} at {} us, is lost",
                              operation.is_write ? "write" : "value", operation.value, key,
                              operation.is_write ? "acknowledged" : "read", operation.ended));
    }
    seen.push_back({&operation, place->second});
  }
  std::vector<Seen> by_end = seen;
  std::sort(by_end.begin(), by_end.end(),
            [](const Seen& a, const Seen& b) { return a.operation->ended < b.operation->ended; });
  std::sort(seen.begin(), seen.end(),
            [](const Seen& a, const Seen& b) { return a.operation->began < b.operation->began; });
  auto ended = by_end.begin();
  Seen latest{nullptr, -1};
  for (const Seen& one : seen) {
    for (; ended != by_end.end() && ended->operation->ended < one.operation->began; ++ended) {
      if (ended->place > latest.place) latest = *ended;
    }
    const bool is_same_write = one.operation->is_write && one.place == latest.place;
    if (one.place < latest.place || is_same_write) {
      return Fail(fmt::format("V4: key {}: {} {} that began at {} us precedes {}, seen before", key,
                              one.operation->is_write ? "write" : "read", one.operation->value,
                              one.operation->began, latest.operation->value));
    }
    const auto written = began.find(one.operation->value);
    if (written != began.end() && written->second > one.operation->ended) {
      return Fail(fmt::format("V4: key {}: value {} was read before it was written", key,
                              one.operation->value));
    }
  }
}

}  // namespace mikura::simulation
