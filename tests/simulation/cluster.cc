// SPDX-License-Identifier: Apache-2.0
// One run: three nodes, two controllers, clients, and what goes wrong.
#include <fmt/format.h>

#include <functional>

#include "base/logging.h"
#include "tests/simulation/node.h"

namespace mikura::simulation {
namespace {

constexpr Micros kTroubleEnds = 7 * kSecond;
constexpr Micros kClientsEnd = 8 * kSecond;
constexpr Micros kEnd = 12 * kSecond;
constexpr Micros kClientPatience = 250 * kMillisecond;
constexpr Micros kControllerPeriod = 100 * kMillisecond;
constexpr Micros kPollTime = 60 * kMillisecond;

class Cluster {
 public:
  Cluster(const Scenario& scenario, Outcome& outcome)
      : scenario_(scenario),
        world_(scenario.seed),
        network_(world_, kPlaces),
        store_(world_),
        history_(&world_),
        around_{scenario_, world_, network_, store_, history_, outcome, nodes_} {}

  void Run();
  const History& history() const { return history_; }

 private:
  struct Poll {
    ShardRecord shard;
    int best = -1;
    Node::Position position;
  };

  Node& node(int index) { return *nodes_[static_cast<size_t>(index)]; }
  void ControllerTurn(int controller);
  void PollNodes(int controller, const ShardRecord& shard);
  bool MayBeElected(int index, const Node::Position& position, const ShardRecord& shard) const;
  void ClientTurn(int client);
  void SendRequest(int client, bool is_write, int key);
  void Trouble();
  void CrashOne(int index);
  void Isolate(int index);
  void CheckEnd();

  const Scenario scenario_;
  World world_;
  Network network_;
  Store store_;
  History history_;
  std::vector<std::unique_ptr<Node>> nodes_;
  Surroundings around_;
  int64_t next_value_ = 1;
  int guess_[kClients] = {0, 0, 0};
};

void Cluster::Run() {
  ShardRecord shard{.revision = 1};
  for (int i = 0; i < kNodes; ++i) {
    nodes_.push_back(std::make_unique<Node>(around_, i));
    shard.in_sync[i] = 1;
  }
  store_.Begin(shard);
  for (int i = 0; i < kNodes; ++i) node(i).Start();
  for (int i = 0; i < kControllers; ++i) ControllerTurn(i);
  for (int i = 0; i < kClients; ++i) ClientTurn(i);
  world_.After(kSecond, [this] { Trouble(); });
  world_.RunUntil(kTroubleEnds);
  network_.HealAll();
  world_.RunUntil(kEnd);
  if (history_.violation().empty()) CheckEnd();
}

// ---- Controllers: two that know nothing of each other. The store decides.

void Cluster::ControllerTurn(int controller) {
  const int place = kControllerPlace + controller;
  network_.Send(place, kStorePlace, [this, controller, place] {
    if (store_.has_leader() && scenario_.mutant != Mutant::kElectDuringLease) return;
    network_.Send(kStorePlace, place,
                  [this, controller, shard = store_.shard()] { PollNodes(controller, shard); });
  });
  world_.After(kControllerPeriod + world_.Between(0, 20 * kMillisecond),
               [this, controller] { ControllerTurn(controller); });
}

void Cluster::PollNodes(int controller, const ShardRecord& shard) {
  const int place = kControllerPlace + controller;
  auto poll = std::make_shared<Poll>();
  poll->shard = shard;
  for (int i = 0; i < kNodes; ++i) {
    // A node that answers its controller is left alone, lease or not.
    if (scenario_.mutant == Mutant::kElectDuringLease && i == shard.primary) continue;
    network_.Send(place, i, [this, i, place, poll] {
      node(i).AskPosition([this, i, place, poll](Node::Position position) {
        network_.Send(i, place, [this, i, poll, position] {
          if (!MayBeElected(i, position, poll->shard)) return;
          const auto rank = std::pair(position.epoch, position.lsn);
          if (poll->best >= 0 && rank <= std::pair(poll->position.epoch, poll->position.lsn))
            return;
          poll->best = i;
          poll->position = position;
        });
      });
    });
  }
  world_.After(kPollTime, [this, place, poll] {
    if (poll->best < 0) return;
    network_.Send(place, kStorePlace, [this, poll] {
      const bool ignores_lease = scenario_.mutant == Mutant::kElectDuringLease &&
                                 world_.now() > kSecond && world_.Chance(20);
      store_.Elect(poll->shard.revision, poll->best, ignores_lease);
    });
  });
}

bool Cluster::MayBeElected(int index, const Node::Position& position,
                           const ShardRecord& shard) const {
  if (!scenario_.is_sync || scenario_.mutant == Mutant::kElectAnyone) return true;
  const auto found = shard.in_sync.find(index);
  if (found == shard.in_sync.end()) return false;
  // A log that is synced before anything is acknowledged loses nothing in a crash.
  return scenario_.syncs_disk || position.life == -1 || found->second == position.life;
}

// ---- Clients: each waits for one answer after the other.

void Cluster::ClientTurn(int client) {
  if (world_.now() >= kClientsEnd) return;
  world_.After(world_.Between(2, 40) * kMillisecond, [this, client] {
    SendRequest(client, world_.Chance(50), static_cast<int>(world_.Between(0, kKeys - 1)));
  });
}

void Cluster::SendRequest(int client, bool is_write, int key) {
  const int64_t value = is_write ? next_value_++ : 0;
  const size_t index =
      history_.Begin({.is_write = is_write, .key = key, .value = value, .began = world_.now()});
  auto is_over = std::make_shared<bool>(false);
  const auto end = [this, client, is_over](bool is_fine) {
    *is_over = true;
    if (!is_fine) guess_[client] = static_cast<int>(world_.Between(0, kNodes - 1));
    ClientTurn(client);
  };
  const int to = guess_[client];
  // Asked by its machine's time, not by the client's: an answer that comes too late is still one.
  const auto answer = [this, to, index, is_over, end](bool ok, int64_t read) {
    network_.Send(to, kClientPlace, [this, index, is_over, end, ok, read] {
      if (*is_over) return;
      if (ok) {
        Operation& operation = history_.at(index);
        operation.acknowledged = true;
        operation.ended = world_.now();
        if (!operation.is_write) operation.value = read;
      }
      end(ok);
    });
  };
  network_.Send(kClientPlace, to, [this, to, is_write, key, value, answer] {
    node(to).Serve({is_write, key, value, answer});
  });
  world_.After(kClientPatience, [is_over, end] {
    if (!*is_over) end(false);
  });
}

// ---- What goes wrong.

void Cluster::Trouble() {
  if (world_.now() >= kTroubleEnds) return;
  const int index = static_cast<int>(world_.Between(0, kNodes - 1));
  const int primary = store_.shard().primary;
  const int target = primary >= 0 && world_.Chance(50) ? primary : index;
  switch (world_.Between(0, 7)) {
    case 0:
      CrashOne(target);
      break;
    case 1:
    case 2: {
      const int64_t parts = world_.Between(1, 3);
      node(target).Freeze((parts & 1) != 0, (parts & 2) != 0,
                          world_.now() + world_.Between(50, 1800) * kMillisecond);
      break;
    }
    case 3:
    case 4:
      Isolate(target);
      break;
    case 5:
      node(target).FreezeAfterNextRequest(world_.Between(500, 1800) * kMillisecond);
      break;
    case 6:
      node(target).BreakLinks();
      break;
    default:
      network_.SlowDown(world_.now() + world_.Between(100, 800) * kMillisecond);
      break;
  }
  world_.After(world_.Between(50, 900) * kMillisecond, [this] { Trouble(); });
}

void Cluster::CrashOne(int index) {
  if (!node(index).is_up()) return;
  node(index).Crash();
  world_.After(world_.Between(50, 1200) * kMillisecond, [this, index] { node(index).Start(); });
}

// From some of the places, in one direction or both.
void Cluster::Isolate(int index) {
  const Micros end = world_.now() + world_.Between(50, 1800) * kMillisecond;
  const int64_t directions = world_.Between(1, 3);
  for (int place = 0; place < kPlaces; ++place) {
    if (place == index || !world_.Chance(60)) continue;
    if ((directions & 1) != 0) network_.Cut(index, place, end);
    if ((directions & 2) != 0) network_.Cut(place, index, end);
  }
}

// ---- The end.

void Cluster::CheckEnd() {
  const int primary = store_.shard().primary;
  around_.outcome.acknowledged = history_.CountAcknowledged();
  if (primary < 0 || !store_.has_leader() || !node(primary).is_primary()) {
    around_.outcome.is_stuck = true;
    return;
  }
  for (int i = 0; i < kNodes; ++i) {
    if (i == primary) continue;
    const std::vector<std::pair<int, int64_t>>& writes = node(i).data().writes;
    if (writes != node(primary).data().writes) {
      history_.Fail(fmt::format("V5: node {} has {} writes, its primary {}", i, writes.size(),
                                node(primary).data().writes.size()));
    }
  }
  if (scenario_.is_sync) history_.Check(node(primary).data().writes);
}

}  // namespace

const char* NameOf(Mutant mutant) {
  constexpr const char* kNames[] = {"none",
                                    "no-check-before-reply",
                                    "no-fence",
                                    "reply-before-acks",
                                    "reads-do-not-wait",
                                    "drop-without-store",
                                    "elect-anyone",
                                    "forgets-crash",
                                    "elect-during-lease",
                                    "grants-from-receipt",
                                    "continues-anything",
                                    "keeps-id"};
  static_assert(sizeof(kNames) / sizeof(kNames[0]) == kMutants);
  return kNames[static_cast<int>(mutant)];
}

Outcome RunScenario(uint64_t seed, Mutant mutant) {
  SetLogLevel(LogLevel::kError);  // replicas come and go all the time
  Scenario scenario{.seed = seed, .mutant = mutant};
  scenario.is_sync = seed % 4 != 3;  // every fourth run is asynchronous
  scenario.syncs_disk = seed % 4 == 1;
  Outcome outcome;
  Cluster cluster(scenario, outcome);
  cluster.Run();
  outcome.violation = cluster.history().violation();
  return outcome;
}

}  // namespace mikura::simulation
