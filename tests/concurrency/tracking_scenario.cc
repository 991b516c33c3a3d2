// SPDX-License-Identifier: Apache-2.0
// Clients that keep what they have read, and drop it when they are told to. A write that was
// answered has told them before they can be answered anything asked later: a value kept beyond that
// is stale. Published messages take the same way: each subscriber sees all of a publisher's, in
// order.
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cstdlib>

#include "tests/concurrency/scenario.h"

namespace mikura::concurrency {

namespace {

constexpr size_t kKeys = 6;
constexpr int kMessages = 400;

std::string Key(size_t number) { return fmt::format("tracked:{}", number); }

struct Written {
  // The last value of each key whose write has been answered. Published by the writer of the key
  // to the readers; release and acquire.
  std::array<std::atomic<int64_t>, kKeys> value{};
};

void Write(Scenario& scenario, Written& written, uint64_t number) {
  Connection connection = scenario.Connect();
  Random random(scenario.settings.seed, 700 + number);
  uint64_t writes = 0;
  int64_t value = 0;
  while (!scenario.IsOver() && connection.is_open()) {
    // Each key has one writer, so that its values grow in the order of the writes.
    const size_t key = number + 2 * random.Below(kKeys / 2);
    const std::string text = fmt::format("{}", ++value);
    switch (random.Below(4)) {
      case 0:
        scenario.Must(connection,
                      {"EVAL", "return redis.call('SET', ARGV[1], ARGV[2])", "0", Key(key), text});
        break;
      case 1:
        connection.Send(std::vector<Words>{{"MULTI"}, {"SET", Key(key), text}, {"EXEC"}});
        for (int i = 0; i < 3; ++i) connection.Read();
        break;
      default:
        scenario.Must(connection, {"SET", Key(key), text});
    }
    written.value[key].store(value, std::memory_order_release);
    ++writes;
    if (random.OneIn(3)) std::this_thread::sleep_for(std::chrono::microseconds(random.Below(500)));
  }
  scenario.Count("writes of tracked keys", writes);
}

class Cache {
 public:
  Cache(Scenario& scenario, uint64_t number, bool broadcast)
      : scenario_(scenario),
        random_(scenario.settings.seed, 710 + number),
        connection_(scenario.Connect()),
        broadcast_(broadcast) {
    scenario.Must(connection_, {"HELLO", "3"});
    Words tracking = {"CLIENT", "TRACKING", "ON"};
    if (broadcast) tracking.insert(tracking.end(), {"BCAST", "PREFIX", "tracked:"});
    scenario.Must(connection_, tracking);
    values_.fill(kNothing);
  }

  void Run(const Written& written) {
    uint64_t hits = 0;
    while (!scenario_.IsOver() && connection_.is_open()) {
      const size_t key = random_.Below(kKeys);
      const int64_t answered = written.value[key].load(std::memory_order_acquire);
      scenario_.Must(connection_, {"PING"});
      TakeInvalidations();
      if (values_[key] == kNothing) {
        Load(key);
      } else {
        ++hits;
      }
      if (values_[key] != kNothing && values_[key] < answered) {
        scenario_.Fail(fmt::format("{}: {} is kept after {} was written{}", Key(key), values_[key],
                                   answered, broadcast_ ? " (BCAST)" : ""));
        values_[key] = kNothing;
      }
    }
    scenario_.Count("reads from a cache", hits);
    scenario_.Count("invalidations", invalidations_);
  }

 private:
  static constexpr int64_t kNothing = -1;

  void Load(size_t key) {
    const std::optional<Reply> reply = connection_.Call({"GET", Key(key)});
    if (!reply) return;
    // What stands before the reply is about what was read before.
    TakeInvalidations();
    values_[key] = std::strtoll(reply->text.c_str(), nullptr, 10);
  }

  void TakeInvalidations() {
    for (; !connection_.pushes().empty(); connection_.pushes().pop_front()) {
      const Reply& push = connection_.pushes().front();
      if (push.parts.size() != 2 || push.parts[0].text != "invalidate") continue;
      ++invalidations_;
      for (const Reply& key : push.parts[1].parts) {
        for (size_t i = 0; i < kKeys; ++i) {
          if (key.text == Key(i)) values_[i] = kNothing;
        }
      }
    }
  }

  Scenario& scenario_;
  Random random_;
  Connection connection_;
  const bool broadcast_;
  std::array<int64_t, kKeys> values_{};
  uint64_t invalidations_ = 0;
};

void Subscribe(Scenario& scenario, std::atomic<int>& subscribed, const char* command,
               const char* channel) {
  Connection connection = scenario.Connect();
  scenario.Must(connection, {command, channel});
  ++subscribed;
  std::map<std::string, int> next;
  int ended = 0;
  uint64_t messages = 0;
  while (ended < 2) {  // publishers
    const std::optional<Reply> message = connection.Read();
    if (!message || message->parts.empty()) {
      scenario.Fail("subscriber: no message");
      return;
    }
    const std::string& text = message->parts.back().text;  // "publisher.number"
    const size_t dot = text.find('.');
    const int number = std::atoi(text.c_str() + dot + 1);
    int& expected = next[text.substr(0, dot)];
    if (number != expected) {
      scenario.Fail(fmt::format("message {} instead of number {}", text, expected));
      return;
    }
    ++messages;
    if (++expected == kMessages) ++ended;
  }
  scenario.Count("messages", messages);
}

void Publish(Scenario& scenario, int publisher, int subscribers) {
  Connection connection = scenario.Connect();
  const std::string receivers = fmt::format(":{}", subscribers);
  for (int i = 0; i < kMessages; ++i) {
    const std::string text = fmt::format("{}.{}", publisher, i);
    scenario.Expect(connection.Call({"PUBLISH", "news", text}), receivers, "PUBLISH " + text);
  }
}

void RunMessages(Scenario& scenario) {
  std::atomic<int> subscribed = 0;
  const std::pair<const char*, const char*> ways[] = {
      {"SUBSCRIBE", "news"}, {"PSUBSCRIBE", "ne*"}, {"SUBSCRIBE", "news"}};
  Crew crew;
  for (const auto& [command, channel] : ways) {
    crew.Add([&scenario, &subscribed, command = command, channel = channel] {
      Subscribe(scenario, subscribed, command, channel);
    });
  }
  while (subscribed < 3) std::this_thread::yield();
  for (int i = 0; i < 2; ++i) crew.Add([&scenario, i] { Publish(scenario, i, 3); });
}

}  // namespace

void RunTracking(const Settings& settings, Report& report) {
  Scenario scenario("tracking", settings, report);
  Written written;
  Crew crew;
  for (uint64_t i = 0; i < 2; ++i) {
    crew.Add([&scenario, &written, i] { Write(scenario, written, i); });
  }
  for (uint64_t i = 0; i < 4; ++i) {
    crew.Add([&scenario, &written, i] { Cache(scenario, i, i % 2 == 1).Run(written); });
  }
  while (!scenario.IsOver()) RunMessages(scenario);
}

}  // namespace mikura::concurrency
