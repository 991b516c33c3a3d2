// SPDX-License-Identifier: Apache-2.0
#include "engine/messaging/delivery_queues.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "engine/messaging/receiver_test_support.h"

namespace mikura::engine {
namespace {

class Note final : public Delivery {
 public:
  Note(std::vector<int>& notes, int number) : notes_(notes), number_(number) {}
  void Run(ReceiverFinder&) override { notes_.push_back(number_); }

 private:
  std::vector<int>& notes_;
  int number_;
};

class DeliveryQueuesTest : public testing::Test {
 protected:
  void Post(uint32_t loop, int number, uint64_t cost = 1) {
    queues_.Post(loop, std::make_unique<Note>(notes_, number), cost);
  }

  std::vector<uint32_t> woken_;
  std::vector<int> notes_;
  FakeLoop clients_;
  DeliveryQueues queues_{3, [this](uint32_t loop) { woken_.push_back(loop); }};
};

TEST_F(DeliveryQueuesTest, WhatACommandPostsIsKeptUntilItIsLogged) {
  Post(1, 1);
  queues_.BeforeCommand();
  Post(1, 2);
  Post(1, 3);
  queues_.RunAll(1, clients_);
  EXPECT_EQ(notes_, std::vector<int>{1});
  queues_.OnLogged();
  Post(1, 4);  // nothing is logged behind it: it need not wait
  queues_.RunAll(1, clients_);
  EXPECT_EQ(notes_, (std::vector<int>{1, 2, 3, 4}));
}

TEST_F(DeliveryQueuesTest, WhatIsNeverLoggedIsPostedBehindTheCommand) {
  queues_.BeforeCommand();
  Post(1, 1);
  queues_.AfterCommand();
  queues_.RunAll(1, clients_);
  EXPECT_EQ(notes_, std::vector<int>{1});
  queues_.WakePosted();
  EXPECT_EQ(woken_, std::vector<uint32_t>{1});
}

TEST_F(DeliveryQueuesTest, ACommandInsideOfAnotherLogsNothingOfIt) {
  queues_.BeforeCommand();
  Post(1, 1);
  DeliveryQueues::Kept kept = queues_.BeginInside();
  queues_.BeforeCommand();
  Post(1, 2);
  queues_.OnLogged();
  queues_.AfterCommand();
  queues_.EndInside(std::move(kept));
  queues_.RunAll(1, clients_);
  EXPECT_EQ(notes_, std::vector<int>{2});
  Post(1, 3);
  queues_.OnLogged();
  queues_.RunAll(1, clients_);
  EXPECT_EQ(notes_, (std::vector<int>{2, 1, 3}));
}

TEST_F(DeliveryQueuesTest, OtherThreadsKeepNothing) {
  queues_.BeforeCommand();
  std::thread([this] { Post(1, 1); }).join();
  queues_.RunAll(1, clients_);
  EXPECT_EQ(notes_, std::vector<int>{1});
}

TEST_F(DeliveryQueuesTest, RunsWhatWasPostedOldestFirst) {
  for (int i = 0; i < 5; ++i) Post(1, i);
  Post(2, 7);
  queues_.RunAll(1, clients_);
  EXPECT_EQ(notes_, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_TRUE(queues_.is_empty(1));
  EXPECT_FALSE(queues_.is_empty(2));
}

TEST_F(DeliveryQueuesTest, WakesOnceThoseWhoseQueueWasEmptyAndOnlyWhenAsked) {
  Post(1, 0);
  Post(1, 1);
  Post(2, 2);
  EXPECT_TRUE(woken_.empty());
  queues_.WakePosted();
  EXPECT_EQ(woken_, (std::vector<uint32_t>{1, 2}));
  queues_.WakePosted();
  Post(1, 3);  // its queue was not empty: it has been woken already
  queues_.WakePosted();
  EXPECT_EQ(woken_.size(), 2u);
}

TEST_F(DeliveryQueuesTest, ALoopIsNotWokenByItself) {
  std::thread loop([&] {
    queues_.SetLoopOfThread(1);
    Post(1, 0);
    queues_.WakePosted();
  });
  loop.join();
  EXPECT_TRUE(woken_.empty());
  EXPECT_FALSE(queues_.is_empty(1));
}

TEST_F(DeliveryQueuesTest, IsCongestedWhileOneLoopHasMuchToDeliver) {
  Post(0, 0, DeliveryQueues::kCongestedCost - 1);
  EXPECT_FALSE(queues_.is_congested());
  Post(0, 1, 1);
  EXPECT_TRUE(queues_.is_congested());
  Post(1, 2, DeliveryQueues::kCongestedCost);
  queues_.RunAll(0, clients_);
  EXPECT_TRUE(queues_.is_congested());
  queues_.RunAll(1, clients_);
  EXPECT_FALSE(queues_.is_congested());
}

TEST_F(DeliveryQueuesTest, FreesWhatNobodyTook) { Post(0, 1); }

}  // namespace
}  // namespace mikura::engine
