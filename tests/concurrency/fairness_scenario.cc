// SPDX-License-Identifier: Apache-2.0
// Who waits longest is served first, on whatever threads the waiting clients and the pushing one
// are: the n-th in the line gets the n-th item, pushed one by one, at once, in a transaction or
// from a script.
#include <fmt/format.h>

#include <utility>

#include "tests/concurrency/scenario.h"

namespace mikura::concurrency {

namespace {

constexpr int kWaiters = 6;
constexpr char kKey[] = "line:key";
constexpr char kOther[] = "line:other";  // in another shard
constexpr char kTarget[] = "line:target";
constexpr char kPatience[] = "30";

enum class Push { kOneByOne, kAtOnce, kInTransaction, kInScript };

class Line {
 public:
  explicit Line(Scenario& scenario)
      : scenario_(scenario), random_(scenario.settings.seed, 600), pusher_(scenario.Connect()) {
    for (int i = 0; i < kWaiters; ++i) {
      waiters_.push_back(scenario.Connect());
      ids_.push_back(scenario.Must(waiters_.back(), {"CLIENT", "ID"}).text);
    }
  }

  void Run() {
    uint64_t rounds = 0;
    while (!scenario_.IsOver()) {
      scenario_.Must(pusher_, {"DEL", kKey, kOther, kTarget});
      const bool sorted = random_.OneIn(4);
      // A fresh line in a random order: it is the waiting that counts, not the connection.
      for (size_t i = waiters_.size(); i > 1; --i) {
        const size_t j = random_.Below(i);
        std::swap(waiters_[i - 1], waiters_[j]);
        std::swap(ids_[i - 1], ids_[j]);
      }
      std::string commands;
      for (int i = 0; i < kWaiters; ++i) {
        const Words wait = sorted ? SortedWait() : ListWait();
        commands += Join(wait) + "; ";
        waiters_[i].Send(wait);
        if (!WaitUntilBlocked(i)) return;
      }
      const Push push = static_cast<Push>(random_.Below(4));
      PushItems(push, sorted);
      for (int i = 0; i < kWaiters; ++i) {
        const std::optional<Reply> reply = waiters_[i].Read();
        const std::string item = Item(i);
        if (reply && (" " + reply->Text()).find("$" + item) != std::string::npos) continue;
        scenario_.Fail(fmt::format("number {} of the line got {} instead of {}; push {}; {}", i,
                                   reply ? reply->Text() : "nothing", item, static_cast<int>(push),
                                   commands));
        return;
      }
      ++rounds;
    }
    scenario_.Count("lines served in order", rounds);
  }

 private:
  static std::string Item(int number) { return fmt::format("item{}", number); }

  Words ListWait() {
    switch (random_.Below(5)) {
      case 0:
        return {"BLPOP", kOther, kKey, kPatience};
      case 1:
        return {"BLMPOP", kPatience, "2", kKey, kOther, "LEFT"};
      case 2:
        return {"BLMOVE", kKey, kTarget, "LEFT", "RIGHT", kPatience};
      default:
        return {"BLPOP", kKey, kPatience};
    }
  }

  Words SortedWait() {
    switch (random_.Below(3)) {
      case 0:
        return {"BZPOPMIN", kOther, kKey, kPatience};
      case 1:
        return {"BZMPOP", kPatience, "1", kKey, "MIN"};
      default:
        return {"BZPOPMIN", kKey, kPatience};
    }
  }

  bool WaitUntilBlocked(int waiter) {
    const int64_t latest = NowNanos() + 20'000'000'000;
    while (NowNanos() < latest) {
      const Reply reply = scenario_.Must(pusher_, {"CLIENT", "LIST", "ID", ids_[waiter]});
      if (reply.text.find("flags=b") != std::string::npos) return true;
    }
    scenario_.Fail(fmt::format("number {} of the line does not wait", waiter));
    return false;
  }

  Words PushOf(bool sorted, int first, int last) const {
    Words words = {sorted ? "ZADD" : "RPUSH", kKey};
    for (int i = first; i <= last; ++i) {
      if (sorted) words.push_back(fmt::format("{}", i));
      words.push_back(Item(i));
    }
    return words;
  }

  void PushItems(Push push, bool sorted) {
    Words all = PushOf(sorted, 0, kWaiters - 1);
    switch (push) {
      case Push::kOneByOne:
        for (int i = 0; i < kWaiters; ++i) scenario_.Must(pusher_, PushOf(sorted, i, i));
        return;
      case Push::kAtOnce:
        scenario_.Must(pusher_, all);
        return;
      case Push::kInTransaction:
        pusher_.Send(std::vector<Words>{
            {"MULTI"}, PushOf(sorted, 0, 2), PushOf(sorted, 3, kWaiters - 1), {"EXEC"}});
        for (int i = 0; i < 4; ++i) pusher_.Read();
        return;
      case Push::kInScript:
        all.insert(all.begin(), {"EVAL", "return redis.call(unpack(ARGV))", "0"});
        scenario_.Must(pusher_, all);
    }
  }

  Scenario& scenario_;
  Random random_;
  Connection pusher_;
  std::vector<Connection> waiters_;
  std::vector<std::string> ids_;
};

}  // namespace

void RunFairness(const Settings& settings, Report& report) {
  Scenario scenario("fairness", settings, report);
  Line(scenario).Run();
}

}  // namespace mikura::concurrency
