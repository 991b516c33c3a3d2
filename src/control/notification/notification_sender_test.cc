// SPDX-License-Identifier: Apache-2.0
#include "control/notification/notification_sender.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <vector>

#include "control/metadata/memory_store.h"
#include "control/metadata/metadata_keys.h"

namespace mikura::control {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

// Notes what is published while it says that it is.
class FakePublisher final : public EventPublisher {
 public:
  explicit FakePublisher(std::vector<std::string>& told, PublishOutcome& outcome)
      : told_(told), outcome_(outcome) {}

  PublishOutcome Publish(const Event& event, std::string& problem) override {
    if (outcome_ == PublishOutcome::kPublished) told_.push_back(event.message);
    problem = "as the test says";
    return outcome_;
  }

 private:
  std::vector<std::string>& told_;
  PublishOutcome& outcome_;
};

class Notifications : public ::testing::Test {
 protected:
  Notifications() {
    Restart();
    sender_->Step();  // what happens from now on is told
  }
  void Restart() {
    sender_ = std::make_unique<NotificationSender>(
        store_, clock_, std::make_unique<FakePublisher>(told_, outcome_));
  }
  Write EventOf(const std::string& message, const std::string& topic = "arn") {
    const Event event{.source_type = "cache-cluster",
                      .source_id = "demo",
                      .message = message,
                      .at = clock_.NowMillis(),
                      .topic = topic};
    return Write::Put(EventKey(event.at, tie_++), ToJson(event));
  }
  void Happen(const std::vector<Write>& events) {
    ASSERT_TRUE(store_.Transact({}, events)->has_value());
  }

  MemoryStore store_;
  ManualClock clock_;
  std::vector<std::string> told_;
  PublishOutcome outcome_ = PublishOutcome::kPublished;
  uint32_t tie_ = 0;
  std::unique_ptr<NotificationSender> sender_;
};

TEST_F(Notifications, TellOfEachEventWithATopicOnceInOrder) {
  Happen({EventOf("1"), EventOf("2")});
  Happen({EventOf("nobody's", "")});
  sender_->Step();
  // A clock that goes back changes no order.
  clock_.Jump(-1h);
  Happen({EventOf("3")});
  sender_->Step();
  sender_->Step();
  EXPECT_THAT(told_, ElementsAre("1", "2", "3"));
}

TEST_F(Notifications, GoOnAfterARestartWhereTheyHadCome) {
  Happen({EventOf("1")});
  sender_->Step();
  Happen({EventOf("2")});
  Restart();
  sender_->Step();
  EXPECT_THAT(told_, ElementsAre("1", "2"));
}

TEST_F(Notifications, OfOneTransactionAreAllToldAgainWhenTheEndCameBetweenThem) {
  Happen({EventOf("1")});
  outcome_ = PublishOutcome::kUnreachable;
  Happen({EventOf("2"), EventOf("3")});
  sender_->Step();
  Restart();
  outcome_ = PublishOutcome::kPublished;
  sender_->Step();
  EXPECT_THAT(told_, ElementsAre("1", "2", "3"));
}

TEST_F(Notifications, AreTriedAgainWithLongerAndLongerPauses) {
  outcome_ = PublishOutcome::kUnreachable;
  Happen({EventOf("1")});
  EXPECT_EQ(sender_->Step(), 1s);
  clock_.Advance(999ms);
  EXPECT_LE(sender_->Step(), 2ms);
  clock_.Advance(1ms);
  EXPECT_EQ(sender_->Step(), 2s);
  for (int i = 0; i < 10; ++i) {
    clock_.Advance(1min);
    sender_->Step();
  }
  clock_.Advance(1min);
  EXPECT_EQ(sender_->Step(), 1min);
  EXPECT_THAT(told_, IsEmpty());
  outcome_ = PublishOutcome::kPublished;
  clock_.Advance(1min);
  sender_->Step();
  EXPECT_THAT(told_, ElementsAre("1"));
}

TEST_F(Notifications, ThatNobodyCanTakeForAnHourAreGivenUp) {
  outcome_ = PublishOutcome::kUnreachable;
  Happen({EventOf("old")});
  sender_->Step();
  clock_.Advance(1h + 1s);
  Happen({EventOf("new")});
  outcome_ = PublishOutcome::kPublished;
  sender_->Step();
  EXPECT_THAT(told_, ElementsAre("new"));
}

TEST_F(Notifications, ThatAreRefusedDoNotHoldUpOthers) {
  outcome_ = PublishOutcome::kRefused;
  Happen({EventOf("bad")});
  sender_->Step();
  outcome_ = PublishOutcome::kPublished;
  Happen({EventOf("good")});
  Restart();
  sender_->Step();
  EXPECT_THAT(told_, ElementsAre("good"));
}

TEST_F(Notifications, WaitInBoundedMemory) {
  outcome_ = PublishOutcome::kUnreachable;
  sender_->Step();
  std::vector<Write> events;
  for (size_t i = 0; i < NotificationSender::kQueueMax + 5; ++i) {
    events.push_back(EventOf(fmt::format("{}", i)));
  }
  Happen(events);
  outcome_ = PublishOutcome::kPublished;
  sender_->Step();
  ASSERT_EQ(told_.size(), NotificationSender::kQueueMax);
  EXPECT_EQ(told_.front(), "5");
}

TEST_F(Notifications, AreToldByAThreadAsEventsHappen) {
  sender_->Start();
  Happen({EventOf("1")});
  const auto end = std::chrono::steady_clock::now() + 20s;
  const auto cursor = [&] { return store_.Get(kNotifiedKey)->value().value; };
  const std::string before = cursor();
  while (cursor() == before && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(1ms);
  }
  sender_->Stop();
  EXPECT_THAT(told_, ElementsAre("1"));
}

}  // namespace
}  // namespace mikura::control
