// SPDX-License-Identifier: Apache-2.0
// Four threads publish, subscribe and deliver at once.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/numbers.h"
#include "engine/messaging/pubsub.h"

namespace mikura::engine {
namespace {

constexpr uint32_t kLoops = 4;
constexpr int kMessages = 5000;  // of each publisher on each channel
constexpr int kChannels = 3;

// Takes the payloads "publisher number" of one channel.
class OrderedReceiver final : public Receiver {
 public:
  using Receiver::Receiver;
  int resp_version() const override { return 3; }
  void Push(PushOrder, std::string_view, const Message& message, std::string_view) override {
    const std::string_view text = message.text();
    const size_t payload = text.rfind("\r\n", text.size() - 3) + 2;
    log.emplace_back(text.substr(payload, text.size() - 2 - payload));
  }
  void Push(PushOrder, std::string_view) override {}
  void DeliverWaiting() override {}
  void CountMemory(int64_t) override {}
  TrackingMode& tracking() override { return mode_; }
  bool is_subscriber() const override { return true; }
  void PublishState() override {}

  std::vector<std::string> log;

 private:
  TrackingMode mode_;
};

class NoClients final : public ReceiverFinder {
 public:
  Receiver* FindReceiver(uint64_t) override { return nullptr; }
};

struct Loops {
  DeliveryQueues queues{kLoops, [](uint32_t) {}};
  PubSub pubsub{queues, KeyHasher(1)};
  std::atomic<uint32_t> subscribed{0};
  std::atomic<uint32_t> published{0};
  // By loop and channel: two receivers each.
  std::vector<std::vector<std::unique_ptr<OrderedReceiver>>> receivers{kLoops};
};

std::string ChannelName(int channel) { return "channel:" + std::to_string(channel); }

void Publish(Loops& loops, uint32_t loop, int number, OrderedReceiver& passer_by) {
  for (int channel = 0; channel < kChannels; ++channel) {
    const std::string payload = "publisher-" + std::to_string(loop) + " " + std::to_string(number);
    const uint64_t got =
        loops.pubsub.Publish(SubscriptionKind::kChannel, ChannelName(channel), payload);
    EXPECT_GE(got, 2 * kLoops);
  }
  // Comes and goes: it must disturb nobody.
  if (number % 16 == 0) {
    loops.pubsub.Subscribe(passer_by, SubscriptionKind::kChannel, ChannelName(0));
    loops.pubsub.Subscribe(passer_by, SubscriptionKind::kPattern, "chan*");
  } else if (number % 16 == 8) {
    loops.pubsub.UnsubscribeAll(passer_by);
  }
}

void RunLoop(Loops& loops, uint32_t loop) {
  NoClients clients;
  loops.queues.SetLoopOfThread(loop);
  OrderedReceiver passer_by(100 + loop, loop);
  for (int channel = 0; channel < kChannels; ++channel) {
    for (int i = 0; i < 2; ++i) {
      auto receiver = std::make_unique<OrderedReceiver>(loop * 10 + channel, loop);
      loops.pubsub.Subscribe(*receiver, SubscriptionKind::kChannel, ChannelName(channel));
      loops.receivers[loop].push_back(std::move(receiver));
    }
  }
  loops.subscribed.fetch_add(1);
  while (loops.subscribed.load() < kLoops) std::this_thread::yield();
  for (int number = 0; number < kMessages; ++number) {
    Publish(loops, loop, number, passer_by);
    if (number % 7 == 0) loops.queues.RunAll(loop, clients);
    loops.queues.WakePosted();
  }
  loops.published.fetch_add(1);
  while (loops.published.load() < kLoops) loops.queues.RunAll(loop, clients);
  loops.queues.RunAll(loop, clients);
  loops.pubsub.UnsubscribeAll(passer_by);
}

TEST(PubSubThreads, NothingIsLostAndAllSeeOneOrderOfAChannel) {
  Loops loops;
  std::vector<std::thread> threads;
  for (uint32_t loop = 0; loop < kLoops; ++loop) {
    threads.emplace_back([&loops, loop] { RunLoop(loops, loop); });
  }
  for (std::thread& thread : threads) thread.join();
  for (int channel = 0; channel < kChannels; ++channel) {
    const auto& first = loops.receivers[0][static_cast<size_t>(channel) * 2]->log;
    ASSERT_EQ(first.size(), size_t{kLoops} * kMessages);
    // Of each publisher in the order in which it published.
    std::map<std::string, int> next;
    for (const std::string& payload : first) {
      const size_t blank = payload.find(' ');
      EXPECT_EQ(payload.substr(blank + 1), std::to_string(next[payload.substr(0, blank)]++));
    }
    for (uint32_t loop = 0; loop < kLoops; ++loop) {
      for (size_t i = 0; i < 2; ++i) {
        EXPECT_TRUE(loops.receivers[loop][static_cast<size_t>(channel) * 2 + i]->log == first);
      }
    }
  }
  for (uint32_t loop = 0; loop < kLoops; ++loop) {
    for (const auto& receiver : loops.receivers[loop]) loops.pubsub.UnsubscribeAll(*receiver);
  }
  EXPECT_TRUE(loops.pubsub.is_idle());
}

}  // namespace
}  // namespace mikura::engine
