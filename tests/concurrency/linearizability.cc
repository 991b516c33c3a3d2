// SPDX-License-Identifier: Apache-2.0
#include "tests/concurrency/linearizability.h"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "tests/concurrency/key_model.h"

namespace mikura::concurrency {

namespace {

constexpr size_t kOpenMax = 64;  // operations that overlap: clients, and those never answered
constexpr int64_t kNanosPerMilli = 1'000'000;

// A point of the search: which of the open operations have been put in order, and what the key is
// after that. Those that have returned are in order in every candidate.
struct Candidate {
  std::bitset<kOpenMax> done;
  KeyState state;

  std::string Identity() const { return done.to_string() + state.Serialized(); }
};

struct Event {
  int64_t nanos;
  bool is_return;
  size_t operation;
};

class Search {
 public:
  Search(const std::vector<Operation>& history, const LinearizabilityOptions& options)
      : history_(history), options_(options), candidates_(1) {}

  Verdict Run() {
    for (const Event& event : Events()) {
      if (!event.is_return) {
        Open(event.operation);
        continue;
      }
      if (!Return(event.operation)) return verdict_;
    }
    return verdict_;
  }

 private:
  // Calls before returns of the same moment: those operations overlap.
  std::vector<Event> Events() const {
    std::vector<Event> events;
    for (size_t i = 0; i < history_.size(); ++i) {
      events.push_back({history_[i].called_nanos, false, i});
      if (history_[i].returned_nanos != Operation::kNeverReturned) {
        events.push_back({history_[i].returned_nanos, true, i});
      }
    }
    std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
      return std::pair(a.nanos, a.is_return) < std::pair(b.nanos, b.is_return);
    });
    return events;
  }

  void Open(size_t operation) {
    const auto place = std::find(open_.begin(), open_.end(), std::nullopt);
    CHECK(place != open_.end());
    *place = operation;
  }

  // Keeps, of all orders, those in which `operation` has happened.
  bool Return(size_t operation) {
    const size_t place = std::find(open_.begin(), open_.end(), operation) - open_.begin();
    std::vector<Candidate> left;  // still to be followed
    std::vector<Candidate> kept;
    std::unordered_set<std::string> seen;
    for (Candidate& candidate : candidates_) Sort(std::move(candidate), place, left, kept, seen);
    while (!left.empty()) {
      const Candidate candidate = std::move(left.back());
      left.pop_back();
      for (size_t next = 0; next < kOpenMax; ++next) {
        if (!open_[next] || candidate.done[next]) continue;
        for (KeyState& state : StatesAfter(candidate.state, history_[*open_[next]])) {
          Candidate after{candidate.done, std::move(state)};
          after.done.set(next);
          Sort(std::move(after), place, left, kept, seen);
        }
      }
      if (seen.size() > options_.states_max) return GiveUp(operation);
    }
    verdict_.states_visited += seen.size();
    if (kept.empty()) return Refute(operation);
    open_[place].reset();
    candidates_ = std::move(kept);
    return true;
  }

  static void Sort(Candidate candidate, size_t place, std::vector<Candidate>& left,
                   std::vector<Candidate>& kept, std::unordered_set<std::string>& seen) {
    if (!seen.insert(candidate.Identity()).second) return;
    if (!candidate.done[place]) {
      left.push_back(std::move(candidate));
      return;
    }
    candidate.done.reset(place);
    kept.push_back(std::move(candidate));
  }

  // What the key can be after `operation`, if its reply agrees: twice when it may or may not have
  // been seen expired.
  std::vector<KeyState> StatesAfter(const KeyState& before, const Operation& operation) const {
    std::vector<KeyState> after;
    const auto add = [&](KeyState state) {
      const std::string reply = RunOnModel(state, operation.words, operation.reply);
      const bool agrees =
          operation.returned_nanos == Operation::kNeverReturned || reply == operation.reply;
      if (agrees) after.push_back(std::move(state));
    };
    const int64_t deadline = before.deadline_millis;
    if (deadline == 0) {
      add(before);
      return after;
    }
    // The last millisecond: the server's clock may have been read a little before ours.
    if (operation.returned_nanos / kNanosPerMilli + 1 >= deadline) add(KeyState{});
    if (operation.called_nanos / kNanosPerMilli <= deadline + options_.expiry_slack_millis) {
      add(before);
    }
    return after;
  }

  bool GiveUp(size_t operation) {
    verdict_.kind = Verdict::Kind::kGaveUp;
    verdict_.why = Describe(operation);
    return false;
  }

  bool Refute(size_t operation) {
    verdict_.kind = Verdict::Kind::kNotLinearizable;
    verdict_.why = "fits nowhere: " + Describe(operation) + "\n  what the key can be before it:";
    for (size_t i = 0; i < std::min<size_t>(candidates_.size(), 8); ++i) {
      verdict_.why += "\n    " + candidates_[i].state.Serialized();
    }
    verdict_.why += "\n  what overlaps it, or came shortly before:";
    const size_t from = operation > 12 ? operation - 12 : 0;
    for (size_t i = from; i < std::min(history_.size(), operation + 8); ++i) {
      verdict_.why += "\n    " + Describe(i);
    }
    return false;
  }

  std::string Describe(size_t i) const {
    const Operation& operation = history_[i];
    const int64_t start = history_.front().called_nanos;
    const bool returned = operation.returned_nanos != Operation::kNeverReturned;
    return fmt::format("client {} [{} - {} us] {} -> {}", operation.client,
                       (operation.called_nanos - start) / 1000,
                       returned ? (operation.returned_nanos - start) / 1000 : -1,
                       Join(operation.words), returned ? operation.reply : "?");
  }

  const std::vector<Operation>& history_;
  const LinearizabilityOptions& options_;
  std::vector<std::optional<size_t>> open_ = std::vector<std::optional<size_t>>(kOpenMax);
  std::vector<Candidate> candidates_;
  Verdict verdict_;
};

}  // namespace

Verdict CheckLinearizability(std::vector<Operation> history,
                             const LinearizabilityOptions& options) {
  std::stable_sort(history.begin(), history.end(), [](const Operation& a, const Operation& b) {
    return a.called_nanos < b.called_nanos;
  });
  return Search(history, options).Run();
}

}  // namespace mikura::concurrency
