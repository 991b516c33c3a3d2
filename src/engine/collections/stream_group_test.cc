// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/stream_group.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <vector>

namespace mikura::engine::collections {
namespace {

class CountedMemory final : public NodeMemory {
 public:
  ~CountedMemory() override { EXPECT_EQ(bytes_, 0); }
  void Add(int64_t bytes) override { bytes_ += bytes; }

 private:
  int64_t bytes_ = 0;
};

struct Pending {
  std::string consumer;
  int64_t delivered_at = 0;
  uint64_t deliveries = 0;
  bool operator==(const Pending&) const = default;
};

struct Model {
  std::map<std::string, int64_t> consumers;  // when they were seen
  std::map<StreamId, Pending> pending;

  std::map<StreamId, Pending> Of(const std::string& consumer) const {
    std::map<StreamId, Pending> result;
    for (const auto& [id, entry] : pending) {
      if (entry.consumer == consumer) result[id] = entry;
    }
    return result;
  }
};

std::map<StreamId, Pending> PendingOf(const StreamGroup& group, StreamGroup::PendingCursor cursor) {
  std::map<StreamId, Pending> result;
  for (; !cursor.at_end(); cursor.Next()) {
    const PendingEntry entry = cursor.entry();
    result[entry.id] = {std::string(group.ConsumerAt(entry.consumer).name), entry.delivered_at,
                        entry.deliveries};
  }
  return result;
}

void ExpectEqual(const StreamGroup& group, const Model& model) {
  group.CheckInvariants();
  ASSERT_EQ(group.pending_count(), model.pending.size());
  ASSERT_EQ(group.consumer_count(), model.consumers.size());
  EXPECT_EQ(PendingOf(group, StreamGroup::PendingCursor(group, kFirstStreamId)), model.pending);
  uint64_t rank = 0;
  for (const auto& [name, seen_at] : model.consumers) {
    const StreamConsumer consumer = group.ConsumerByRank(rank++);
    EXPECT_EQ(consumer.name, name);
    EXPECT_EQ(consumer.seen_at, seen_at);
    const std::map<StreamId, Pending> own = model.Of(name);
    EXPECT_EQ(group.PendingCountOf(consumer.number), own.size());
    EXPECT_EQ(PendingOf(group, StreamGroup::PendingCursor(group, kFirstStreamId, consumer.number)),
              own);
  }
}

TEST(StreamGroup, AnEntryIsPendingForOneConsumerAtATime) {
  CountedMemory memory;
  StreamGroup group(memory, "g", {}, 0);
  const uint64_t alice = group.AddConsumer("alice", 7);
  const uint64_t bob = group.AddConsumer("bob", 8);
  group.SetPending({{5, 1}, alice, 100, 1});
  group.SetPending({{5, 2}, alice, 100, 1});
  group.SetPending({{5, 1}, bob, 200, 2});
  EXPECT_EQ(group.pending_count(), 2u);
  EXPECT_EQ(group.PendingCountOf(alice), 1u);
  EXPECT_EQ(group.PendingCountOf(bob), 1u);
  EXPECT_EQ(group.FindPending({5, 1})->delivered_at, 200);
  EXPECT_EQ(group.first_pending(), (StreamId{5, 1}));
  EXPECT_EQ(group.last_pending(), (StreamId{5, 2}));
  EXPECT_TRUE(group.RemovePending({5, 1}));
  EXPECT_FALSE(group.RemovePending({5, 1}));
  EXPECT_EQ(group.RemoveConsumer(alice), 1u);
  EXPECT_EQ(group.pending_count(), 0u);
  EXPECT_FALSE(group.FindConsumer("alice"));
}

TEST(StreamGroup, WhenAConsumerWasSeenAndActiveIsKept) {
  CountedMemory memory;
  StreamGroup group(memory, "g", {}, 0);
  const uint64_t number = group.AddConsumer("c", 7);
  EXPECT_EQ(group.FindConsumer("c")->active_at, -1);
  group.SetSeen(number, 1'700'000'000'000, 1'700'000'000'001);
  EXPECT_EQ(group.FindConsumer("c")->seen_at, 1'700'000'000'000);
  EXPECT_EQ(group.FindConsumer("c")->active_at, 1'700'000'000'001);
  EXPECT_EQ(group.FindConsumer("c")->name, "c");
  group.SetSeen(number, INT64_MAX, INT64_MAX);
  EXPECT_EQ(group.FindConsumer("c")->active_at, INT64_MAX);
  group.SetSeen(number, 0, -1);
  EXPECT_EQ(group.FindConsumer("c")->active_at, -1);
}

class RandomGroup : public testing::TestWithParam<uint32_t> {
 protected:
  std::string AnyName() { return "consumer-" + std::to_string(random_() % 12); }
  StreamId AnyId() { return {random_() % 6, random_() % 200}; }

  uint64_t NumberOf(StreamGroup& group, Model& model, const std::string& name) {
    const auto found = group.FindConsumer(name);
    EXPECT_EQ(found.has_value(), model.consumers.contains(name));
    if (found) return found->number;
    model.consumers[name] = 5;
    return group.AddConsumer(name, 5);
  }

  void ChangeAnything(StreamGroup& group, Model& model) {
    const StreamId id = AnyId();
    const std::string name = AnyName();
    switch (random_() % 16) {
      case 0:
        if (model.consumers.contains(name)) {
          const uint64_t gone = group.RemoveConsumer(group.FindConsumer(name)->number);
          EXPECT_EQ(gone, model.Of(name).size());
          std::erase_if(model.pending, [&](const auto& p) { return p.second.consumer == name; });
          model.consumers.erase(name);
        }
        break;
      case 1:
        group.SetSeen(NumberOf(group, model, name), 99, 100);
        model.consumers[name] = 99;
        break;
      case 2:
      case 3:
      case 4:
      case 5:
        EXPECT_EQ(group.RemovePending(id), model.pending.erase(id) == 1);
        break;
      default: {
        const Pending entry{name, static_cast<int64_t>(random_() % 1000), random_() % 300};
        group.SetPending({id, NumberOf(group, model, name), entry.delivered_at, entry.deliveries});
        model.pending[id] = entry;
      }
    }
  }

  std::mt19937 random_{GetParam()};
};

TEST_P(RandomGroup, BehavesAsAMapAndCopiesStayAsTheyWere) {
  CountedMemory memory;
  StreamGroup group(memory, "g", {}, 0);
  Model model;
  std::vector<std::pair<StreamGroup, Model>> copies;
  for (int step = 0; step < 4000; ++step) {
    ChangeAnything(group, model);
    if (step % 800 == 0) copies.emplace_back(group, model);
    if (step % 200 == 0) ExpectEqual(group, model);
  }
  ExpectEqual(group, model);
  for (const auto& [copy, then] : copies) ExpectEqual(copy, then);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomGroup, testing::Range(1u, 5u));

}  // namespace
}  // namespace mikura::engine::collections
