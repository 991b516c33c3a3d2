// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/sorted_set_value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace mikura::engine::collections {
namespace {

using Change = SortedSetValue::Change;
using Ranked = std::set<std::pair<double, std::string>>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class CountedMemory final : public NodeMemory {
 public:
  ~CountedMemory() override { EXPECT_EQ(bytes_, 0); }
  void Add(int64_t bytes) override { bytes_ += bytes; }

 private:
  int64_t bytes_ = 0;
};

// What a sorted set should be.
class Model {
 public:
  Change Set(const std::string& member, double score) {
    const auto [place, is_new] = scores_.try_emplace(member, score);
    if (is_new) {
      ranked_.emplace(score, member);
      return Change::kAdded;
    }
    if (place->second == score) return Change::kNone;
    ranked_.erase({place->second, member});
    ranked_.emplace(score, member);
    place->second = score;
    return Change::kUpdated;
  }
  bool Erase(const std::string& member) {
    const auto place = scores_.find(member);
    if (place == scores_.end()) return false;
    ranked_.erase({place->second, member});
    scores_.erase(place);
    return true;
  }
  void EraseAt(uint64_t rank, uint64_t count) {
    const std::vector<std::pair<double, std::string>> all(ranked_.begin(), ranked_.end());
    for (uint64_t i = rank; i < rank + count; ++i) Erase(all[i].second);
  }
  const Ranked& ranked() const { return ranked_; }
  const std::map<std::string, double>& scores() const { return scores_; }

 private:
  Ranked ranked_;
  std::map<std::string, double> scores_;
};

std::vector<std::pair<double, std::string>> Elements(const SortedSetValue& set) {
  std::vector<std::pair<double, std::string>> elements;
  for (SortedSetValue::Cursor c(set); !c.at_end(); c.Next()) {
    elements.emplace_back(c.element().score, c.element().member);
  }
  return elements;
}

void ExpectSame(const SortedSetValue& set, const Model& model) {
  set.CheckInvariants();
  const std::vector<std::pair<double, std::string>> wanted(model.ranked().begin(),
                                                           model.ranked().end());
  ASSERT_EQ(Elements(set), wanted);
  for (const auto& [member, score] : model.scores()) {
    ASSERT_EQ(set.ScoreOf(member), score);
    const auto place = model.ranked().find({score, member});
    ASSERT_EQ(set.RankOf(member), std::distance(model.ranked().begin(), place));
  }
}

// A score of few, so that many are equal, with the ends of the range among them.
double RandomScore(std::mt19937& random) {
  switch (random() % 12) {
    case 0:
      return kInfinity;
    case 1:
      return -kInfinity;
    case 2:
      return -0.0;
    case 3:
      return 5e-324;
    default:
      return (static_cast<double>(random() % 40) - 20) / 4;
  }
}

// Random changes to a set and a model; copies keep what they had.
void ChangeAtRandom(CountedMemory& memory, uint32_t seed, uint32_t names, size_t pad) {
  std::mt19937 random(seed);
  auto set = std::make_unique<SortedSetValue>(memory);
  Model model;
  std::deque<std::string> stored;
  std::vector<std::pair<std::unique_ptr<SortedSetValue>, Model>> copies;
  for (int i = 0; i < 4000; ++i) {
    const std::string name = std::to_string(random() % names) + std::string(pad, 'x');
    const uint32_t choice = random() % 20;
    if (choice < 12) {
      const double score = RandomScore(random);
      ASSERT_EQ(set->Set(name, score), model.Set(name, score));
    } else if (choice < 18) {
      ASSERT_EQ(set->Erase(name), model.Erase(name));
    } else if (!set->empty()) {
      const uint64_t rank = random() % set->size();
      const uint64_t count = random() % std::min<uint64_t>(set->size() - rank + 1, 6);
      set->EraseAt(rank, count);
      model.EraseAt(rank, count);
    }
    ASSERT_EQ(set->size(), model.ranked().size());
    if (set->is_packed() && i % 7 == 0) {
      set->AppendPacked(stored.emplace_back());
      set = std::make_unique<SortedSetValue>(memory, stored.back());
    }
    if (i % 500 == 0) {
      copies.emplace_back(static_cast<SortedSetValue*>(set->Copy()), model);
    }
    if (i % 200 == 0) ExpectSame(*set, model);
  }
  for (const auto& [copy, was] : copies) ExpectSame(*copy, was);
  ExpectSame(*set, model);
}

TEST(SortedSetValue, HoldsWhatASortedSetHoldsAfterRandomChanges) {
  CountedMemory memory;
  for (uint32_t seed = 1; seed <= 3; ++seed) {
    ChangeAtRandom(memory, seed, 20, 0);     // stays packed
    ChangeAtRandom(memory, seed, 1500, 0);   // becomes a tree
    ChangeAtRandom(memory, seed, 300, 200);  // long members
  }
}

TEST(SortedSetValue, IsMadeOfOrderedElements) {
  CountedMemory memory;
  for (const int size : {0, 1, 100, 5000}) {
    Model model;
    for (int i = 0; i < size; ++i) model.Set(std::to_string(i), i % 7);
    std::vector<SortedSetValue::Element> ordered;
    for (const auto& [score, member] : model.ranked()) ordered.push_back({member, score});
    SortedSetValue set(memory, ordered);
    ExpectSame(set, model);
    EXPECT_EQ(set.Set("another", 3), Change::kAdded);
    set.CheckInvariants();
  }
}

TEST(SortedSetValue, CountsBelowAScore) {
  CountedMemory memory;
  for (const int size : {50, 1000}) {
    std::mt19937 random(7);
    SortedSetValue set(memory);
    Model model;
    for (int i = 0; i < size; ++i) {
      const double score = RandomScore(random);
      set.Set(std::to_string(i), score);
      model.Set(std::to_string(i), score);
    }
    EXPECT_EQ(set.is_packed(), size == 50);
    for (int i = 0; i < 200; ++i) {
      const double bound = RandomScore(random);
      uint64_t below = 0;
      uint64_t up_to = 0;
      for (const auto& [score, member] : model.ranked()) {
        below += score < bound ? 1 : 0;
        up_to += score <= bound ? 1 : 0;
      }
      ASSERT_EQ(set.CountBelow(bound, false), below);
      ASSERT_EQ(set.CountBelow(bound, true), up_to);
    }
  }
}

TEST(SortedSetValue, CountsBeforeAMember) {
  CountedMemory memory;
  for (const int size : {50, 1000}) {
    SortedSetValue set(memory);
    std::set<std::string> members;
    std::mt19937 random(11);
    for (int i = 0; i < size; ++i) {
      const std::string member = std::to_string(random() % 5000);
      members.insert(member);
      set.Set(member, 1);
    }
    for (int i = 0; i < 200; ++i) {
      const std::string bound = std::to_string(random() % 5000);
      const auto first = members.lower_bound(bound);
      const auto after = members.upper_bound(bound);
      ASSERT_EQ(set.CountBefore(bound, false), std::distance(members.begin(), first));
      ASSERT_EQ(set.CountBefore(bound, true), std::distance(members.begin(), after));
    }
    EXPECT_EQ(set.CountBefore("", false), 0u);
  }
}

TEST(SortedSetValue, KeepsTheSignOfAZeroAndOrdersZerosByMember) {
  CountedMemory memory;
  for (const int more : {0, 1000}) {
    SortedSetValue set(memory);
    for (int i = 0; i < more; ++i) set.Set("m" + std::to_string(i), i + 1);
    EXPECT_EQ(set.Set("b", -0.0), Change::kAdded);
    EXPECT_EQ(set.Set("a", 0.0), Change::kAdded);
    EXPECT_EQ(set.Set("b", 0.0), Change::kNone);
    EXPECT_TRUE(std::signbit(*set.ScoreOf("b")));
    EXPECT_FALSE(std::signbit(*set.ScoreOf("a")));
    EXPECT_EQ(set.At(0).member, "a");
    EXPECT_EQ(set.At(1).member, "b");
    set.CheckInvariants();
  }
}

TEST(SortedSetValue, VisitsARangeBothWaysAndStopsWhenTold) {
  CountedMemory memory;
  for (const int size : {30, 2000}) {
    SortedSetValue set(memory);
    for (int i = 0; i < size; ++i) set.Set(std::to_string(i), i);
    std::vector<double> seen;
    const auto note = [&](const SortedSetValue::Element& element) {
      seen.push_back(element.score);
      return seen.size() < 5;
    };
    set.VisitRange(10, 3, false, note);
    EXPECT_EQ(seen, (std::vector<double>{10, 11, 12}));
    seen.clear();
    set.VisitRange(2, 3, true, note);
    EXPECT_EQ(seen, (std::vector<double>{2, 1, 0}));
    seen.clear();
    set.VisitRange(static_cast<uint64_t>(size) - 1, static_cast<uint64_t>(size), true, note);
    EXPECT_EQ(seen.size(), 5u);
    seen.clear();
    set.VisitRange(0, 0, true, note);
    EXPECT_TRUE(seen.empty());
  }
}

TEST(SortedSetValue, AScanVisitsWhateverStays) {
  CountedMemory memory;
  SortedSetValue set(memory);
  set.set_is_skiplist();
  for (int i = 0; i < 2000; ++i) set.Set("stays" + std::to_string(i), i);
  std::set<std::string> seen;
  uint64_t cursor = 0;
  int steps = 0;
  do {
    cursor = set.Scan(
        cursor, 10, [&](const SortedSetValue::Element& element) { seen.emplace(element.member); });
    set.Set("comes" + std::to_string(steps), steps);
    if (steps % 2 == 0) set.Erase("comes" + std::to_string(steps / 2));
    ASSERT_LT(++steps, 2000);
  } while (cursor != 0);
  EXPECT_GT(steps, 150);
  for (int i = 0; i < 2000; ++i) EXPECT_TRUE(seen.contains("stays" + std::to_string(i)));
}

TEST(SortedSetValue, RemembersThatItWasASkiplist) {
  CountedMemory memory;
  SortedSetValue set(memory);
  set.Set("a", 1);
  std::string packed;
  set.AppendPacked(packed);
  EXPECT_FALSE(SortedSetValue(memory, packed).is_skiplist());
  set.set_is_skiplist();
  packed.clear();
  set.AppendPacked(packed);
  EXPECT_TRUE(SortedSetValue(memory, packed).is_skiplist());
  const std::unique_ptr<SortedSetValue> copy(static_cast<SortedSetValue*>(set.Copy()));
  EXPECT_TRUE(copy->is_skiplist());
}

TEST(SortedSetValue, BecomesEmptyAndFullAgain) {
  CountedMemory memory;
  SortedSetValue set(memory);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 1000; ++i) set.Set(std::to_string(i), i);
    set.EraseAt(0, 999);
    set.CheckInvariants();
    EXPECT_EQ(set.At(0).member, "999");
    EXPECT_TRUE(set.Erase("999"));
    EXPECT_TRUE(set.empty());
    EXPECT_FALSE(set.Erase("999"));
    set.CheckInvariants();
  }
}

}  // namespace
}  // namespace mikura::engine::collections
