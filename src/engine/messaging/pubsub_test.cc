// SPDX-License-Identifier: Apache-2.0
#include "engine/messaging/pubsub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/messaging/receiver_test_support.h"

namespace mikura::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
constexpr auto kChannel = SubscriptionKind::kChannel;
constexpr auto kPattern = SubscriptionKind::kPattern;
constexpr auto kShard = SubscriptionKind::kShardChannel;

class PubSubTest : public testing::Test {
 protected:
  void Deliver() {
    for (uint32_t loop = 0; loop < queues_.loop_count(); ++loop) queues_.RunAll(loop, clients_);
  }

  FakeLoop clients_;
  DeliveryQueues queues_{2, [](uint32_t) {}};
  PubSub pubsub_{queues_, KeyHasher(7)};
  FakeReceiver a_{1, 0};
  FakeReceiver b_{2, 1, 3};
};

TEST_F(PubSubTest, AMessageReachesEverySubscriberOfTheChannelInItsProtocol) {
  EXPECT_TRUE(pubsub_.Subscribe(a_, kChannel, "news"));
  EXPECT_FALSE(pubsub_.Subscribe(a_, kChannel, "news"));
  EXPECT_TRUE(pubsub_.Subscribe(b_, kChannel, "news"));
  EXPECT_EQ(pubsub_.Publish(kChannel, "news", "hello"), 2u);
  EXPECT_EQ(pubsub_.Publish(kChannel, "other", "hello"), 0u);
  Deliver();
  EXPECT_THAT(a_.received, ElementsAre("*3 $7 message $4 news $5 hello "));
  EXPECT_THAT(b_.received, ElementsAre(">3 $7 message $4 news $5 hello "));
}

TEST_F(PubSubTest, APatternGetsTheMessageOnceMoreAndNamesItself) {
  pubsub_.Subscribe(a_, kChannel, "news");
  pubsub_.Subscribe(a_, kPattern, "n*");
  pubsub_.Subscribe(b_, kPattern, "?ews");
  pubsub_.Subscribe(b_, kPattern, "x*");
  EXPECT_EQ(pubsub_.Publish(kChannel, "news", "1"), 3u);
  Deliver();
  EXPECT_THAT(a_.received,
              ElementsAre("*3 $7 message $4 news $1 1 ", "*4 $8 pmessage $2 n* $4 news $1 1 "));
  EXPECT_THAT(b_.received, ElementsAre(">4 $8 pmessage $4 ?ews $4 news $1 1 "));
}

TEST_F(PubSubTest, ShardedChannelsAreApartAndKnowNoPatterns) {
  pubsub_.Subscribe(a_, kChannel, "news");
  pubsub_.Subscribe(a_, kPattern, "*");
  pubsub_.Subscribe(b_, kShard, "news");
  EXPECT_EQ(pubsub_.Publish(kShard, "news", "1"), 1u);
  Deliver();
  EXPECT_THAT(a_.received, IsEmpty());
  EXPECT_THAT(b_.received, ElementsAre(">3 $8 smessage $4 news $1 1 "));
  EXPECT_EQ(pubsub_.Count(kShard), 1u);
  EXPECT_EQ(pubsub_.CountSubscribers(kShard, "news"), 1u);
  EXPECT_EQ(pubsub_.CountSubscribers(kChannel, "news"), 1u);
}

TEST_F(PubSubTest, WhoUnsubscribesGetsFirstWhatWasPublishedBefore) {
  a_.deliver_waiting = [&] { queues_.RunAll(0, clients_); };
  pubsub_.Subscribe(a_, kChannel, "news");
  EXPECT_EQ(pubsub_.Publish(kChannel, "news", "1"), 1u);
  EXPECT_TRUE(pubsub_.Unsubscribe(a_, kChannel, "news"));
  EXPECT_EQ(a_.received.size(), 1u);
  EXPECT_FALSE(pubsub_.Unsubscribe(a_, kChannel, "news"));
  EXPECT_EQ(pubsub_.Publish(kChannel, "news", "2"), 0u);
  Deliver();
  EXPECT_EQ(a_.received.size(), 1u);
}

TEST_F(PubSubTest, NamesAreGoneWithTheirLastSubscriber) {
  FakeReceiver c(3, 0);
  for (const char* name : {"x", "y"}) {
    pubsub_.Subscribe(a_, kChannel, name);
    pubsub_.Subscribe(c, kChannel, name);
    pubsub_.Subscribe(b_, kChannel, name);
  }
  pubsub_.Subscribe(a_, kPattern, "p*");
  pubsub_.Subscribe(b_, kPattern, "p*");
  EXPECT_THAT(PubSub::NamesOf(a_, kChannel), UnorderedElementsAre("x", "y"));
  EXPECT_THAT(pubsub_.Channels(kChannel), UnorderedElementsAre("x", "y"));
  EXPECT_EQ(pubsub_.Count(kPattern), 1u);
  pubsub_.UnsubscribeAll(a_);
  EXPECT_EQ(a_.memory, 0);
  EXPECT_TRUE(a_.subscriptions.empty());
  EXPECT_EQ(pubsub_.CountSubscribers(kChannel, "x"), 2u);
  EXPECT_EQ(pubsub_.Publish(kChannel, "x", "1"), 2u);
  EXPECT_EQ(pubsub_.Publish(kChannel, "pq", "1"), 1u);
  Deliver();
  EXPECT_EQ(c.received.size(), 1u);
  pubsub_.UnsubscribeAll(b_);
  pubsub_.Unsubscribe(c, kChannel, "x");
  EXPECT_THAT(pubsub_.Channels(kChannel), ElementsAre("y"));
  EXPECT_EQ(pubsub_.Count(kPattern), 0u);
  pubsub_.UnsubscribeAll(c);
  EXPECT_TRUE(pubsub_.is_idle());
}

TEST_F(PubSubTest, ManySubscribersOfOneChannelComeAndGoInAnyOrder) {
  std::vector<std::unique_ptr<FakeReceiver>> many;
  for (uint64_t i = 0; i < 100; ++i) {
    many.push_back(std::make_unique<FakeReceiver>(i, i % 2));
    pubsub_.Subscribe(*many.back(), kChannel, "c");
  }
  for (size_t i = 0; i < 100; i += 3) pubsub_.Unsubscribe(*many[i], kChannel, "c");
  EXPECT_EQ(pubsub_.Publish(kChannel, "c", "m"), 66u);
  Deliver();
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(many[i]->received.size(), i % 3 == 0 ? 0u : 1u);
}

}  // namespace
}  // namespace mikura::engine
