// SPDX-License-Identifier: Apache-2.0
#include "engine/replication/in_sync_set.h"

#include <gtest/gtest.h>

#include <vector>

namespace mikura::engine {
namespace {

using std::chrono::milliseconds;
using State = InSyncSet::State;

constexpr Lsn kEverything = InSyncSet::kEverything;
constexpr int kReplicas = 3;

class InSync : public testing::Test {
 protected:
  void Enable(uint32_t needed, bool begins_epoch = false) {
    set_.Configure({.enabled = true, .lag_max = milliseconds(1000), .needed = needed}, now_,
                   begins_epoch);
  }
  static InSyncSet::Id Id(int replica) {
    static const char ids[kReplicas] = {};
    return &ids[replica];
  }
  void Add(int replica, Lsn acknowledged) {
    set_.Add(Id(replica), std::to_string(replica), acknowledged, now_);
  }
  void Acknowledge(int replica, Lsn lsn) { set_.Acknowledge(Id(replica), lsn, now_); }
  // One in sync, as after some traffic.
  void Join(int replica) {
    Add(replica, log_end_);
    ASSERT_TRUE(set_.IsInSync(Id(replica)));
  }
  void Advance(milliseconds by) {
    now_ += std::chrono::nanoseconds(by).count();
    set_.Tick(now_);
  }

  Lsn log_end_ = 100;
  MonotonicNanos now_ = 1;
  std::vector<State> states_;
  InSyncSet set_{[this] { return log_end_; },
                 [this](const State& state) { states_.push_back(state); }};
};

TEST_F(InSync, HoldsNothingBackWhileItIsOff) {
  Add(0, 10);
  EXPECT_EQ(set_.state().durable, kEverything);
  EXPECT_FALSE(set_.state().lacks);
  EXPECT_FALSE(set_.IsInSync(Id(0)));
}

TEST_F(InSync, IsDurableUpToTheSlowestReplica) {
  Enable(1);
  Join(0);
  Join(1);
  log_end_ = 200;
  Acknowledge(0, 180);
  EXPECT_EQ(set_.state().durable, 100);
  Acknowledge(1, 150);
  EXPECT_EQ(set_.state().durable, 150);
  EXPECT_EQ(set_.state().in_sync, 2u);
}

TEST_F(InSync, NoReplicaHasMoreThanTheLog) {
  Enable(1);
  Join(0);
  Acknowledge(0, 1'000'000);
  EXPECT_EQ(set_.state().durable, 100);
}

TEST_F(InSync, WithoutTheReplicasThatItNeedsNothingMoreIsDurable) {
  Enable(1);
  EXPECT_TRUE(set_.state().lacks);
  EXPECT_NE(set_.state().lost_since, 0);
  Join(0);
  EXPECT_FALSE(set_.state().lacks);
  log_end_ = 200;
  Acknowledge(0, 150);
  set_.Remove(Id(0), now_);
  EXPECT_EQ(set_.state().durable, 150);
  EXPECT_TRUE(set_.state().lacks);
  EXPECT_NE(set_.state().lost_since, 0);
}

TEST_F(InSync, GoesOnAloneWhereThatIsAllowed) {
  Enable(0);
  EXPECT_EQ(set_.state().durable, kEverything);
  Join(0);
  log_end_ = 200;
  EXPECT_EQ(set_.state().durable, 100);
  set_.Remove(Id(0), now_);
  EXPECT_EQ(set_.state().durable, kEverything);
  EXPECT_FALSE(set_.state().lacks);
  EXPECT_EQ(set_.state().lost_since, 0);
}

TEST_F(InSync, DropsAReplicaThatIsBehindForTooLong) {
  Enable(0);
  Join(0);
  Join(1);
  log_end_ = 200;
  set_.NoteDemand(now_);
  Acknowledge(0, 200);
  Advance(milliseconds(1000));
  EXPECT_TRUE(set_.IsInSync(Id(1)));
  EXPECT_EQ(set_.state().durable, 100);
  Advance(milliseconds(1));
  EXPECT_FALSE(set_.IsInSync(Id(1)));
  EXPECT_EQ(set_.state().durable, 200);
  EXPECT_EQ(set_.state().in_sync, 1u);
}

TEST_F(InSync, OneThatLagsALittleAllTheTimeStays) {
  Enable(1);
  Join(0);
  for (int i = 0; i < 100; ++i) {
    const Lsn before = log_end_;
    log_end_ += 10;
    set_.NoteDemand(now_);
    Advance(milliseconds(900));
    Acknowledge(0, before + 5);
    Advance(milliseconds(50));
    Acknowledge(0, before + 10);
    ASSERT_TRUE(set_.IsInSync(Id(0)));
  }
}

TEST_F(InSync, OneThatAcknowledgesLessThanWasAwaitedIsBehindStill) {
  Enable(1);
  Join(0);
  log_end_ = 200;
  set_.NoteDemand(now_);
  Advance(milliseconds(600));
  Acknowledge(0, 199);
  Advance(milliseconds(600));
  EXPECT_FALSE(set_.IsInSync(Id(0)));
}

TEST_F(InSync, OneThatWasDroppedComesBackWhenItHasAllThatLeft) {
  Enable(1);
  Join(0);
  Join(1);
  log_end_ = 200;
  set_.NoteDemand(now_);
  Acknowledge(0, 200);
  Advance(milliseconds(1001));
  ASSERT_FALSE(set_.IsInSync(Id(1)));
  Acknowledge(1, 199);
  EXPECT_FALSE(set_.IsInSync(Id(1)));
  Acknowledge(1, 200);
  EXPECT_TRUE(set_.IsInSync(Id(1)));
}

// While the node was alone, replies left that no replica knows of. From the moment in which one
// counts nothing leaves without it, and it is in sync only when it has all that left before.
TEST_F(InSync, BehindANodeThatWasAloneItCountsBeforeItIsInSync) {
  Enable(0);
  log_end_ = 200;
  Add(0, 150);
  EXPECT_EQ(set_.state().durable, kEverything);
  log_end_ = 300;
  Acknowledge(0, 200);  // all of when it came; by now there is more
  EXPECT_EQ(set_.state().durable, 200);
  EXPECT_FALSE(set_.IsInSync(Id(0)));
  Acknowledge(0, 299);
  EXPECT_FALSE(set_.IsInSync(Id(0)));
  Acknowledge(0, 300);
  EXPECT_TRUE(set_.IsInSync(Id(0)));
}

TEST_F(InSync, ANewEpochForgetsWhatWasAcknowledgedBefore) {
  Enable(1);
  Join(0);
  Enable(1, true);
  EXPECT_EQ(set_.state().durable, 0);  // what this node holds may be known to nobody else
  EXPECT_TRUE(set_.state().lacks);
  Acknowledge(0, 99);
  EXPECT_FALSE(set_.IsInSync(Id(0)));  // the primary before may have shown all of it
  EXPECT_EQ(set_.state().durable, 0);
  Acknowledge(0, 100);
  EXPECT_TRUE(set_.IsInSync(Id(0)));
  EXPECT_EQ(set_.state().durable, 100);
}

TEST_F(InSync, ANodeThatFollowsAnotherMakesNothingMoreDurable) {
  Enable(0);
  Join(0);
  log_end_ = 200;
  set_.Freeze();
  Acknowledge(0, 200);
  set_.Remove(Id(0), now_);
  EXPECT_EQ(set_.state().durable, 100);
  set_.Configure({.enabled = false}, now_);
  EXPECT_EQ(set_.state().durable, kEverything);
}

TEST_F(InSync, FewerThanAreNeededAreTooFew) {
  Enable(2);
  Join(0);
  EXPECT_TRUE(set_.state().lacks);
  EXPECT_EQ(set_.state().lost_since, 0);
  Join(1);
  EXPECT_FALSE(set_.state().lacks);
  set_.Remove(Id(1), now_);
  EXPECT_TRUE(set_.state().lacks);
}

TEST_F(InSync, TellsOfChangesOnly) {
  Enable(1);
  Join(0);
  const size_t told = states_.size();
  Acknowledge(0, 100);
  Advance(milliseconds(10));
  EXPECT_EQ(states_.size(), told);
  set_.Configure({.enabled = false}, now_);
  EXPECT_EQ(states_.back().durable, kEverything);
}

class InSyncByAgreement : public InSync {
 protected:
  void Begin(uint32_t needed = 1) {
    set_.Configure(
        {.enabled = true, .lag_max = milliseconds(1000), .needed = needed, .needs_agreement = true},
        now_, true);
  }
  bool Agree(uint64_t version, const std::vector<std::string>& names) {
    return set_.Agree(version, names, now_);
  }
  // What is wanted is what the store has.
  void AgreeToAll() {
    const InSyncSet::Wanted wanted = set_.wanted();
    EXPECT_TRUE(Agree(wanted.version, wanted.names));
  }
  // Two that are in sync, and in the store.
  void BeginWithTwo() {
    Begin();
    Add(0, 100);
    Add(1, 100);
    AgreeToAll();
    ASSERT_EQ(set_.state().in_sync, 2u);
    ASSERT_EQ(set_.state().durable, 100);
    log_end_ = 200;
  }
};

TEST_F(InSyncByAgreement, NobodyHasToAgreeWhereItIsNotAsked) {
  Enable(1);
  EXPECT_FALSE(Agree(0, {"0"}));
  Join(0);
  EXPECT_EQ(set_.state().durable, 100);
}

TEST_F(InSyncByAgreement, BeforeTheFirstWordNothingIsDurable) {
  Begin();
  Add(0, 100);
  EXPECT_TRUE(set_.state().lacks);
  EXPECT_EQ(set_.state().durable, 0);
  AgreeToAll();
  EXPECT_FALSE(set_.state().lacks);
  EXPECT_EQ(set_.state().durable, 100);
}

TEST_F(InSyncByAgreement, WaitsForOneThatMayBeElectedThoughItIsNotThere) {
  Begin();
  Add(0, 100);
  ASSERT_TRUE(Agree(0, {"0", "1"}));
  EXPECT_EQ(set_.state().durable, 0);
  EXPECT_NE(set_.state().lost_since, 0);
  EXPECT_EQ(set_.wanted().names, std::vector<std::string>{"0"});
  Add(1, 100);
  EXPECT_EQ(set_.state().durable, 100);
  EXPECT_EQ(set_.state().lost_since, 0);
}

TEST_F(InSyncByAgreement, OneThatHasLeftCountsUntilItIsAgreed) {
  BeginWithTwo();
  Acknowledge(0, 200);
  set_.Remove(Id(1), now_);
  EXPECT_EQ(set_.state().in_sync, 1u);
  EXPECT_EQ(set_.state().durable, 100);
  AgreeToAll();
  EXPECT_EQ(set_.state().durable, 200);
}

TEST_F(InSyncByAgreement, OneThatIsBehindForTooLongCountsUntilItIsAgreed) {
  BeginWithTwo();
  set_.Tick(now_);
  Acknowledge(0, 200);
  Advance(milliseconds(1100));
  EXPECT_FALSE(set_.IsInSync(Id(1)));
  EXPECT_EQ(set_.state().durable, 100);
  AgreeToAll();
  EXPECT_EQ(set_.state().durable, 200);
}

TEST_F(InSyncByAgreement, WhatWasAgreedBeforeItLeftSaysNothing) {
  Begin();
  Add(0, 100);
  const InSyncSet::Wanted before = set_.wanted();
  Add(1, 100);  // may be in the store from now on
  log_end_ = 200;
  Acknowledge(0, 200);
  set_.Remove(Id(1), now_);
  ASSERT_TRUE(Agree(before.version, before.names));
  EXPECT_EQ(set_.state().durable, 100);
  AgreeToAll();
  EXPECT_EQ(set_.state().durable, 200);
}

TEST_F(InSyncByAgreement, OneThatComesBackInTimeStays) {
  BeginWithTwo();
  set_.Remove(Id(1), now_);
  Acknowledge(0, 200);
  const InSyncSet::Wanted without = set_.wanted();
  set_.Add(Id(2), "1", 150, now_);  // on another connection
  EXPECT_EQ(set_.state().durable, 150);
  set_.Acknowledge(Id(2), 200, now_);
  EXPECT_TRUE(set_.IsInSync(Id(2)));
  // It left the store meanwhile, and is about to come back.
  ASSERT_TRUE(Agree(without.version, without.names));
  log_end_ = 300;
  Acknowledge(0, 300);
  EXPECT_EQ(set_.state().durable, 200);
}

TEST_F(InSyncByAgreement, OneThatReturnsWithLessTakesBackWhatIsDurable) {
  BeginWithTwo();
  set_.Remove(Id(1), now_);
  set_.Add(Id(2), "1", 10, now_);
  EXPECT_EQ(set_.state().durable, 10);
  EXPECT_FALSE(set_.IsInSync(Id(2)));
}

TEST_F(InSyncByAgreement, GoesOnAloneOnlyWhenThatIsAgreed) {
  Begin(0);
  EXPECT_EQ(set_.state().durable, 0);
  AgreeToAll();
  EXPECT_EQ(set_.state().durable, kEverything);
  Add(0, 100);
  ASSERT_EQ(set_.state().durable, 100);
  log_end_ = 200;
  set_.Remove(Id(0), now_);
  EXPECT_EQ(set_.state().durable, 100);
  AgreeToAll();
  EXPECT_EQ(set_.state().durable, kEverything);
}

TEST_F(InSyncByAgreement, ANewEpochNeedsANewWord) {
  BeginWithTwo();
  AgreeToAll();
  Begin();
  Acknowledge(0, 200);
  Acknowledge(1, 200);
  EXPECT_TRUE(set_.state().lacks);
  EXPECT_EQ(set_.state().durable, 0);
}

}  // namespace
}  // namespace mikura::engine
