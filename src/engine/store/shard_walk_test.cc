// SPDX-License-Identifier: Apache-2.0
// Walks see the shard as it was when they began, whatever happens meanwhile.
//
// These tests catch each of these mistakes (tried by hand): an insert, a removal or an overwrite
// that does not settle; a resize that settles only the source or only the destination; pages
// created with marks 0; a detached table that is dropped; databases numbered as they are now; a
// slot that is reused right after an abort.
#include <gtest/gtest.h>

#include "engine/store/store_test_model.h"

namespace mikura::engine::store {
namespace {

TEST(Walk, SeesEveryDatabase) {
  TestShard keys;
  keys.Set("a", "1");
  keys.Set("b", "2", std::chrono::milliseconds::max(), 3);
  CollectingConsumer consumer;
  keys.shard().BeginWalk(0, consumer);
  while (!keys.shard().WalkStep(0, 1)) {
  }
  EXPECT_EQ(consumer.seen, (std::map<std::string, std::string>{{"0:a", "1"}, {"3:b", "2"}}));
}

TEST(Walk, SeesAValueAsItWasBeforeTheFirstChange) {
  TestShard keys;
  keys.Set("k", "before");
  CollectingConsumer consumer;
  keys.shard().BeginWalk(0, consumer);
  keys.Set("k", "behind");
  EXPECT_EQ(consumer.seen["0:k"], "before");
  EXPECT_TRUE(keys.shard().WalkStep(0, 100));
  EXPECT_EQ(consumer.repeated, 0);
}

TEST(Walk, OfAnEmptyShardIsDoneAtOnce) {
  TestShard keys;
  CollectingConsumer consumer;
  keys.shard().BeginWalk(2, consumer);
  EXPECT_TRUE(keys.shard().WalkStep(2, 1));
  EXPECT_TRUE(consumer.seen.empty());
}

TEST(Walk, KeepsAnExternalValueThatIsAppendedTo) {
  class Sharing final : public EntryConsumer {
   public:
    void Consume(int, const Entry& entry) override { value = entry.Share(); }
    SharedValue value;
  };
  TestShard keys;
  const std::string large(10000, 'a');
  keys.Set("k", large);
  Sharing consumer;
  keys.shard().BeginWalk(0, consumer);
  keys.Append("k", "tail");
  EXPECT_EQ(consumer.value.view(), large);
  EXPECT_EQ(keys.Get("k"), large + "tail");
  EXPECT_TRUE(keys.shard().WalkStep(0, 10));
}

// A walk that ends in the middle of a resize has not visited the chains that are not in use yet;
// the next one in its slot must not take them for settled.
TEST(Walk, SeesEveryKeyAtAnyMomentOfAResize) {
  TestShard keys;
  for (size_t count = 1; count <= 3000; ++count) {
    keys.Set("key:" + std::to_string(count), "v");
    if (count % 5 != 0) continue;
    CollectingConsumer consumer;
    keys.shard().BeginWalk(0, consumer);
    while (!keys.shard().WalkStep(0, 1000)) {
    }
    ASSERT_EQ(consumer.seen.size(), count);
    ASSERT_EQ(consumer.repeated, 0);
  }
}

// One slot's walk in the random test.
struct RunningWalk {
  CollectingConsumer consumer;
  std::map<std::string, std::string> expected;
  bool running = false;
  bool aborted = false;
};

class RandomWalks : public testing::TestWithParam<int> {};

void BeginOrStep(ModelledShard& model, int slot, RunningWalk& walk, int& completed) {
  Shard& shard = model.keys().shard();
  if (!walk.running) {
    walk = RunningWalk{};
    walk.expected = model.Contents();
    walk.running = true;
    shard.BeginWalk(slot, walk.consumer);
    return;
  }
  if (!walk.aborted && model.Pick(60) == 0) {
    shard.AbortWalk(slot);
    walk.aborted = true;
  }
  if (!shard.WalkStep(slot, model.Pick(4))) return;
  walk.running = false;
  if (walk.aborted) return;
  ++completed;
  ASSERT_EQ(walk.consumer.repeated, 0);
  ASSERT_EQ(walk.consumer.seen, walk.expected);
}

TEST_P(RandomWalks, SeeWhatWasThereWhenTheyBegan) {
  ModelledShard model(GetParam(), 60 << (GetParam() % 4));
  std::array<RunningWalk, kWalksMax> walks;
  int completed = 0;
  for (int i = 0; i < 12000; ++i) {
    model.Change((i / 1500) % 2 == 0 ? 80 : 25);
    if (model.Pick(400) == 0) model.Swap(model.Pick(3), model.Pick(3));
    if (model.Pick(800) == 0) model.Detach(model.Pick(3));
    if (model.Pick(800) == 0) model.DropKept();
    if (model.Pick(5) == 0) {
      const int slot = model.Pick(kWalksMax);
      BeginOrStep(model, slot, walks[slot], completed);
    }
    if (i % 2000 == 0) model.Compare();
    if (testing::Test::HasFatalFailure()) FAIL() << "after " << i << " changes";
  }
  EXPECT_GT(completed, 20);
  model.Compare();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomWalks, testing::Range(1, 41));

}  // namespace
}  // namespace mikura::engine::store
