// SPDX-License-Identifier: Apache-2.0
// What clients and nodes have seen, and the rules that it has to obey.
//
// V1. What was acknowledged with durability sync is in the history at the end.
// V2. In one epoch one node acknowledges; once somebody does in a newer one, nobody does in an
// older. V3. Two nodes at the same offset of the same replication id hold the same data. V4. With
// durability sync, reads and writes of each key are linearizable. V5. When all is healed, every
// node has the data of the primary.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/keyspace/log_chunk.h"
#include "tests/simulation/world.h"

namespace mikura::simulation {

struct Operation {
  bool is_write = false;
  int key = 0;
  int64_t value = 0;  // written, or read: 0 for an absent key. Each write has its own
  Micros began = 0;
  Micros ended = 0;
  bool acknowledged = false;
};

class History {
 public:
  explicit History(World* world = nullptr) : world_(world) {}

  size_t Begin(const Operation& operation) {
    operations_.push_back(operation);
    return operations_.size() - 1;
  }
  Operation& at(size_t index) { return operations_[index]; }
  uint64_t CountAcknowledged() const;

  // A reply leaves a node.
  void NoteReply(int64_t epoch, int node, Micros now);
  // A node has reached that offset; `digest` is of all it has executed.
  void NoteData(const std::string& id, engine::Lsn lsn, uint64_t digest, int node);

  // V1 and V4, given all writes in their order at the end, as (key, value).
  void Check(const std::vector<std::pair<int, int64_t>>& writes);
  // Ends the run: what follows upon a broken rule tells nothing.
  void Fail(const std::string& violation) {
    if (violation_.empty()) violation_ = violation;
    if (world_ != nullptr) world_->Stop();
  }
  const std::string& violation() const { return violation_; }

 private:
  void CheckKey(int key, const std::map<int64_t, int64_t>& places);

  World* const world_;
  std::vector<Operation> operations_;
  std::map<int64_t, int> acknowledging_;  // epoch -> node
  std::map<std::pair<std::string, engine::Lsn>, uint64_t> digests_;
  std::string violation_;
};

}  // namespace mikura::simulation
