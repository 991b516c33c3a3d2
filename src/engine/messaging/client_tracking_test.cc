// SPDX-License-Identifier: Apache-2.0
#include "engine/messaging/client_tracking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/messaging/receiver_test_support.h"

namespace mikura::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ClientTrackingTest : public testing::Test {
 protected:
  ClientTrackingTest() {
    for (FakeReceiver* client : {&a_, &b_}) clients_.clients[client->id()] = client;
  }
  ~ClientTrackingTest() override {
    tracking_.Disable(a_);
    tracking_.Disable(b_);
  }

  void Track(FakeReceiver& client, TrackingMode mode = {}, std::vector<std::string> prefixes = {}) {
    mode.on = true;
    mode.broadcast = !prefixes.empty();
    tracking_.Enable(client, mode, prefixes);
  }
  void Read(FakeReceiver& client, std::string_view name) {
    const Key key = keyspace_->hasher()(name);
    ShardGuard guard(keyspace_->lock(key.shard()));
    tracking_.Remember(client, {&key, 1});
  }
  // By the client of that id; 0: by nobody.
  void Change(std::string_view name, uint64_t writer = 0) {
    const Key key = keyspace_->hasher()(name);
    tracking_.SetWriter(writer);
    ShardGuard guard(keyspace_->lock(key.shard()));
    keyspace_->Touched(0, key);
    tracking_.SetWriter(0);
  }
  void Flush() {
    Effects effects;
    keyspace_->FlushAll(effects);
  }
  void Deliver() {
    for (int hop = 0; hop < 2; ++hop) {
      for (uint32_t loop = 0; loop < queues_.loop_count(); ++loop) {
        queues_.RunAll(loop, clients_);
        tracking_.TellChanges(loop);
      }
    }
  }
  std::vector<std::string> Take(FakeReceiver& client) {
    Deliver();
    return std::exchange(client.received, {});
  }

  std::unique_ptr<Keyspace> keyspace_ = Keyspace::Create({}).value();
  FakeLoop clients_;
  DeliveryQueues queues_{2, [](uint32_t) {}};
  ClientTracking tracking_{*keyspace_, queues_, [this](uint64_t id) -> std::optional<uint32_t> {
                             Receiver* const found = clients_.FindReceiver(id);
                             if (found == nullptr) return std::nullopt;
                             return found->loop();
                           }};
  FakeReceiver a_{1, 0, 3};
  FakeReceiver b_{2, 1, 3};
};

TEST_F(ClientTrackingTest, WhoHasReadAKeyIsToldOnce) {
  Track(a_);
  Track(b_);
  Read(a_, "k");
  Read(a_, "k");
  Read(b_, "k");
  EXPECT_EQ(tracking_.counts().keys, 1u);
  EXPECT_EQ(tracking_.counts().items, 2u);
  Change("other");
  EXPECT_THAT(Take(a_), IsEmpty());
  Change("k");
  Change("k");
  EXPECT_THAT(Take(a_), ElementsAre(">2 $10 invalidate *1 $1 k "));
  EXPECT_THAT(Take(b_), ElementsAre(">2 $10 invalidate *1 $1 k "));
  EXPECT_EQ(tracking_.counts().keys, 0u);
  EXPECT_EQ(tracking_.counts().items, 0u);
}

TEST_F(ClientTrackingTest, WhoHasStoppedTrackingOrGoneIsNotTold) {
  Track(a_);
  Track(b_);
  Read(a_, "k");
  Read(b_, "k");
  tracking_.Disable(a_);
  clients_.clients.erase(b_.id());
  Change("k");
  EXPECT_THAT(Take(a_), IsEmpty());
  EXPECT_THAT(Take(b_), IsEmpty());
}

TEST_F(ClientTrackingTest, AClientMayNotWantToHearOfItsOwnChanges) {
  Track(a_, {.no_loop = true});
  Read(a_, "k");
  Change("k", a_.id());
  Read(a_, "k");
  EXPECT_THAT(Take(a_), IsEmpty());
  Change("k", b_.id());
  EXPECT_EQ(Take(a_).size(), 1u);
}

// The reply may be the value from before the change.
TEST_F(ClientTrackingTest, WhatOthersChangeIsToldBehindTheReplyThatIsBeingMade) {
  queues_.SetLoopOfThread(b_.loop());
  Track(a_);
  Read(a_, "k");
  Change("k", b_.id());
  Read(a_, "k");
  Change("k");
  Deliver();
  EXPECT_THAT(a_.orders, ElementsAre(PushOrder::kAfterReply, PushOrder::kAfterReply));
}

TEST_F(ClientTrackingTest, WhatALoopRemovesToMakeRoomIsToldBeforeItsReply) {
  queues_.SetLoopOfThread(a_.loop());
  Track(a_);
  Read(a_, "k");
  Change("k");
  Read(a_, "k");
  Change("k", a_.id());
  Deliver();
  EXPECT_THAT(a_.orders, ElementsAre(PushOrder::kBeforeReply, PushOrder::kAfterReply));
}

TEST_F(ClientTrackingTest, PrefixesGatherKeysInOrder) {
  Track(a_, {}, {"x", "y"});
  Track(b_, {.no_loop = true}, {"x"});
  EXPECT_EQ(tracking_.counts().prefixes, 2u);
  for (const char* name : {"y1", "x2", "x1", "x2", "z"}) Change(name, b_.id());
  Change("x3");
  EXPECT_THAT(Take(a_), ElementsAre(">2 $10 invalidate *3 $2 x1 $2 x2 $2 x3 ",
                                    ">2 $10 invalidate *1 $2 y1 "));
  EXPECT_THAT(Take(b_), ElementsAre(">2 $10 invalidate *1 $2 x3 "));
  tracking_.Disable(a_);
  Change("y2");
  Change("x4");
  EXPECT_THAT(Take(a_), IsEmpty());
  EXPECT_EQ(Take(b_).size(), 1u);
  tracking_.Disable(b_);
  EXPECT_FALSE(keyspace_->IsObserved(0, KeyObserverKind::kPrefixes));
  EXPECT_EQ(a_.memory, 0);
}

TEST_F(ClientTrackingTest, AnotherClientIsToldInstead) {
  Track(a_, {.redirect = b_.id()});
  Read(a_, "k");
  Change("k");
  EXPECT_THAT(Take(b_), ElementsAre(">2 $10 invalidate *1 $1 k "));
  EXPECT_THAT(Take(a_), IsEmpty());
}

TEST_F(ClientTrackingTest, AClientIsToldThatItsRedirectionIsBroken) {
  Track(a_, {.redirect = b_.id()});
  Read(a_, "k");
  clients_.clients.erase(b_.id());
  Change("k");
  EXPECT_THAT(Take(a_), ElementsAre(">2 $21 tracking-redir-broken :2 "));
  EXPECT_TRUE(a_.mode.broken_redirect);
  EXPECT_EQ(a_.published, 1);
}

TEST_F(ClientTrackingTest, AFlushTellsOfAllKeysAndForgetsThem) {
  Track(a_);
  Track(b_, {}, {"p"});
  for (int i = 0; i < 100; ++i) Read(a_, "k" + std::to_string(i));
  Flush();
  EXPECT_EQ(tracking_.counts().keys, 0u);
  EXPECT_THAT(Take(a_), ElementsAre(">2 $10 invalidate _ "));
  EXPECT_THAT(Take(b_), ElementsAre(">2 $10 invalidate _ "));
  Change("k7");
  EXPECT_THAT(Take(a_), IsEmpty());
  tracking_.Tend(0, kShardCount);
}

TEST_F(ClientTrackingTest, KeysAboveTheLimitAreForgottenAndTold) {
  tracking_.SetKeysMax(50);
  Track(a_);
  size_t told = 0;
  for (int i = 0; i < 500; ++i) {
    Read(a_, "{one shard}" + std::to_string(i));
    EXPECT_LE(tracking_.counts().keys, 50u);
  }
  for (const std::string& push : Take(a_)) told += push.starts_with(">2 $10 invalidate *1");
  EXPECT_EQ(told, 450u);
  // Of other shards each may hold one more, until background work comes.
  for (int i = 0; i < 500; ++i) Read(a_, std::to_string(i));
  tracking_.Tend(0, kShardCount);
  EXPECT_LE(tracking_.counts().keys, 50u);
  tracking_.SetKeysMax(0);
  for (int i = 0; i < 500; ++i) Read(a_, "more" + std::to_string(i));
  EXPECT_GE(tracking_.counts().keys, 500u);
}

}  // namespace
}  // namespace mikura::engine
