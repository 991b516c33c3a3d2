// SPDX-License-Identifier: Apache-2.0
#include "engine/store/eviction_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <unordered_map>

#include "engine/store/ghost_set.h"
#include "engine/store/position_multiset.h"

namespace mikura::engine::store {
namespace {

TEST(SizeCode, IsWrongByAtMostAQuarter) {
  const auto check = [](uint64_t bytes) {
    ASSERT_LT(SizeCodeOf(bytes), 64);
    const uint64_t decoded = BytesOfSizeCode(SizeCodeOf(bytes));
    ASSERT_LE(decoded * 4, bytes * 5) << bytes;
    ASSERT_GE(decoded * 4, bytes * 3) << bytes;
  };
  for (uint64_t bytes = 2; bytes < 100'000; ++bytes) check(bytes);
  for (int shift = 17; shift < 32; ++shift) {
    for (uint64_t eighths = 8; eighths < 16; ++eighths) check((eighths << shift >> 3) + 12345);
  }
}

TEST(SizeCode, KeepsWhatItSays) {
  for (int code = 0; code < 64; ++code) {
    EXPECT_EQ(SizeCodeOf(BytesOfSizeCode(static_cast<uint8_t>(code))), code);
  }
}

TEST(SizeCode, OfTheSmallestAndTheLargestIsTheNearestThereIs) {
  EXPECT_EQ(BytesOfSizeCode(SizeCodeOf(0)), 2u);
  EXPECT_EQ(BytesOfSizeCode(SizeCodeOf(UINT64_MAX)), uint64_t{3} << 31);
}

// The queue and a plain deque, with some items dead in both.
class ModelledQueue {
 public:
  explicit ModelledQueue(uint64_t seed) : random_(seed), queue_(gauge_) {}

  void Step() {
    const int what = static_cast<int>(random_() % 100);
    if (what < push_percent) {
      const QueueItem item{static_cast<uint32_t>(random_()),
                           static_cast<uint16_t>(random_() % 1024), SizeCodeOf(random_() % 5000)};
      queue_.Push(item);
      model_.push_back(item);
    } else if (what < 90) {
      if (queue_.size() == 0) return;
      ASSERT_EQ(queue_.Pop(), model_.front());
      model_.pop_front();
    } else if (what < 99) {
      queue_.CompactStep(IsDead);
      if (queue_.size() < model_.size()) FollowCompaction();
    } else if (random_() % 500 == 0) {
      queue_.Clear();
      model_.clear();
    } else {
      queue_.FreeDiscarded(random_() % 5);
    }
  }
  void Compare() const {
    std::vector<QueueItem> items;
    queue_.ForEach([&](const QueueItem& item) { items.push_back(item); });
    ASSERT_TRUE(std::equal(items.begin(), items.end(), model_.begin(), model_.end()));
    uint64_t bytes = 0;
    for (const QueueItem& item : model_) bytes += BytesOfSizeCode(item.size_code);
    ASSERT_EQ(queue_.size(), model_.size());
    ASSERT_EQ(queue_.bytes(), bytes);
    ASSERT_EQ(gauge_.ExactBytes(), static_cast<int64_t>(queue_.memory_bytes()));
  }
  uint64_t DeadItems() const {
    return static_cast<uint64_t>(std::count_if(model_.begin(), model_.end(), IsDead));
  }
  EvictionQueue& queue() { return queue_; }

  int push_percent = 60;

 private:
  static bool IsDead(const QueueItem& item) { return item.position % 3 == 0; }
  // What was taken out is a run of dead items; which one, the queue knows. Live items never go.
  void FollowCompaction() {
    std::deque<QueueItem> left;
    queue_.ForEach([&](const QueueItem& item) { left.push_back(item); });
    size_t at = 0;
    for (const QueueItem& item : model_) {
      if (at < left.size() && left[at] == item) {
        ++at;
      } else {
        ASSERT_TRUE(IsDead(item));
      }
    }
    ASSERT_EQ(at, left.size());
    model_ = left;
  }

  std::mt19937_64 random_;
  MemoryGauge gauge_;
  EvictionQueue queue_;
  std::deque<QueueItem> model_;
};

class RandomQueues : public testing::TestWithParam<int> {};

TEST_P(RandomQueues, KeepTheOrderOfWhatLives) {
  ModelledQueue model(GetParam());
  for (int i = 0; i < 20000; ++i) {
    model.push_percent = (i / 4000) % 2 == 0 ? 70 : 35;
    model.Step();
    if (i % 500 == 0) model.Compare();
    if (HasFatalFailure()) FAIL() << "after " << i << " steps";
  }
  model.Compare();
}

TEST_P(RandomQueues, LoseAllDeadItemsInOneRound) {
  ModelledQueue model(GetParam());
  model.push_percent = 90;
  for (int i = 0; i < 3000; ++i) model.Step();
  const size_t chunks = model.queue().memory_bytes() / 1024 + 2;
  const uint64_t size = model.queue().size();
  for (size_t i = 0; i < chunks; ++i) {
    model.queue().CompactStep([](const QueueItem& item) { return item.position % 3 == 0; });
  }
  uint64_t dead = 0;
  model.queue().ForEach([&](const QueueItem& item) { dead += item.position % 3 == 0 ? 1 : 0; });
  EXPECT_EQ(dead, 0u);
  EXPECT_LT(model.queue().size(), size);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomQueues, testing::Range(1, 6));

TEST(EvictionQueue, TakesAboutSixBytesAKey) {
  MemoryGauge gauge;
  EvictionQueue queue(gauge);
  for (uint32_t i = 0; i < 100'000; ++i) queue.Push({i, 0, 0});
  EXPECT_LT(static_cast<double>(queue.memory_bytes()) / 100'000, 6.2);
}

TEST(PositionMultiset, CountsLikeAMap) {
  std::mt19937_64 random(7);
  PositionMultiset set;
  std::unordered_map<uint32_t, int> model;
  size_t size = 0;
  for (int i = 0; i < 200'000; ++i) {
    // Few different values, 0 among them, and then many.
    const auto position =
        static_cast<uint32_t>(i % 40000 < 20000 ? random() % 60 : random() % 9000);
    if (random() % 100 < ((i / 10000) % 2 == 0 ? 70u : 30u)) {
      set.Add(position);
      ++model[position];
      ++size;
    } else {
      const bool was_there = model[position] > 0;
      ASSERT_EQ(set.Take(position), was_there);
      if (was_there) --model[position], --size;
    }
    ASSERT_EQ(set.size(), size);
  }
}

int TakeAll(GhostSet& ghosts, uint64_t first, uint64_t end, GhostOrigin origin) {
  int found = 0;
  for (uint64_t key = first; key < end; ++key) found += ghosts.Take(key) == origin ? 1 : 0;
  return found;
}

TEST(GhostSet, FindsWhatItWasGivenLatelyAndWhereThatHadBeen) {
  GhostSet ghosts;
  ghosts.Resize(10'000);
  for (uint64_t key = 0; key < 9'000; ++key) ghosts.Add(key, GhostOrigin::kSmallQueue);
  for (uint64_t key = 9'000; key < 10'000; ++key) ghosts.Add(key, GhostOrigin::kMainQueue);
  EXPECT_GT(TakeAll(ghosts, 8'000, 9'000, GhostOrigin::kSmallQueue), 950);
  EXPECT_GT(TakeAll(ghosts, 9'000, 10'000, GhostOrigin::kMainQueue), 950);
  for (uint64_t key = 8'000; key < 9'000; ++key) ghosts.Take(key);
  EXPECT_LT(TakeAll(ghosts, 8'000, 9'000, GhostOrigin::kSmallQueue), 5);
}

TEST(GhostSet, ForgetsTheOldest) {
  GhostSet ghosts;
  ghosts.Resize(1'000);
  for (uint64_t key = 0; key < 10'000; ++key) ghosts.Add(key, GhostOrigin::kSmallQueue);
  EXPECT_LT(TakeAll(ghosts, 0, 1'000, GhostOrigin::kSmallQueue), 10);
}

}  // namespace
}  // namespace mikura::engine::store
