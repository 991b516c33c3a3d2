// SPDX-License-Identifier: Apache-2.0
// A world in which nothing happens by chance: one clock, one list of what happens next, one source
// of random numbers. The same seed gives the same run.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <vector>

namespace mikura::simulation {

using Micros = int64_t;
constexpr Micros kMillisecond = 1000;
constexpr Micros kSecond = 1'000'000;

class World {
 public:
  explicit World(uint64_t seed) : random_(seed) {}

  Micros now() const { return now_; }
  void After(Micros delay, std::function<void()> action) {
    events_.push({now_ + delay, next_number_++, std::move(action)});
  }
  // Runs what happens before `end`, unless Stop() is called.
  void RunUntil(Micros end) {
    while (!is_stopped_ && !events_.empty() && events_.top().at < end) {
      // The queue gives no way to move out of it; the order does not depend on the action.
      Event event = std::move(const_cast<Event&>(events_.top()));
      events_.pop();
      now_ = event.at;
      event.action();
    }
    now_ = end;
  }

  void Stop() { is_stopped_ = true; }

  // Both ends included. Not a distribution of the library: those differ between libraries.
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random_() % static_cast<uint64_t>(high - low + 1));
  }
  bool Chance(int percent) { return Between(1, 100) <= percent; }

 private:
  struct Event {
    Micros at;
    uint64_t number;  // what was planned first comes first
    std::function<void()> action;
    bool operator<(const Event& other) const {
      return at != other.at ? at > other.at : number > other.number;
    }
  };

  std::mt19937_64 random_;
  Micros now_ = 0;
  bool is_stopped_ = false;
  uint64_t next_number_ = 0;
  std::priority_queue<Event> events_;
};

// Who can hear whom. Places: the nodes, the metadata store, the controllers, the clients.
class Network {
 public:
  Network(World& world, int places) : world_(world), cut_(places, std::vector<Micros>(places, 0)) {}

  bool IsCut(int from, int to) const { return cut_[from][to] > world_.now(); }
  void Cut(int from, int to, Micros end) { cut_[from][to] = std::max(cut_[from][to], end); }
  void SlowDown(Micros end) { slow_until_ = end; }
  void HealAll() {
    for (auto& row : cut_) row.assign(row.size(), 0);
    slow_until_ = 0;
  }
  Micros Delay() {
    const Micros usual = world_.Between(100, 900);
    return world_.now() < slow_until_ && world_.Chance(30) ? usual * world_.Between(5, 60) : usual;
  }
  // One message, which may be lost and may overtake others.
  void Send(int from, int to, std::function<void()> arrives) {
    if (IsCut(from, to)) return;
    world_.After(Delay(), [this, from, to, arrives = std::move(arrives)] {
      if (!IsCut(from, to)) arrives();
    });
  }

 private:
  World& world_;
  std::vector<std::vector<Micros>> cut_;  // until when
  Micros slow_until_ = 0;
};

}  // namespace mikura::simulation
