// SPDX-License-Identifier: Apache-2.0
// A script that never ends, on one connection: everybody else is answered meanwhile, on every
// thread, and SCRIPT KILL ends it at once.
#include <fmt/format.h>

#include <algorithm>

#include "tests/concurrency/scenario.h"

namespace mikura::concurrency {

namespace {

constexpr int kOthers = 12;  // more than threads, so that each thread has some
constexpr int kRounds = 6;
constexpr double kKillMillisMax = 100;
constexpr double kPingMillisMax = 100;

class EndlessScript {
 public:
  explicit EndlessScript(Scenario& scenario) : scenario_(scenario), admin_(scenario.Connect()) {
    for (int i = 0; i < kOthers; ++i) others_.push_back(scenario.Connect());
    scenario_.Must(admin_, {"CONFIG", "SET", "busy-reply-threshold", "100"});
    scenario_.Must(admin_, {"SET", "endless:free", "v"});
  }

  // declares: whether the script holds the shard of a key while it runs.
  void Run(bool declares) {
    Connection runner = scenario_.Connect();
    Words words = {"EVAL", "while true do end", declares ? "1" : "0"};
    if (declares) words.push_back("endless:held");
    runner.Send(words);
    // It runs when a second script is refused.
    if (!Until([&] { return IsBusy(); })) return;
    for (int turn = 0; turn < 3; ++turn) {
      for (Connection& other : others_) Ping(other);
    }
    scenario_.Expect(admin_.Call({"GET", "endless:free"}), "$v", "GET of a key that is free");
    if (declares) {
      const std::optional<Reply> held = admin_.Call({"GET", "endless:held"});
      if (!held || !held->is_error("BUSY")) scenario_.Fail("GET of a key that is held is not BUSY");
    }
    Kill(runner);
  }

  double slowest_ping_millis() const { return slowest_ping_; }
  double slowest_kill_millis() const { return slowest_kill_; }

 private:
  static double MillisSince(int64_t nanos) { return static_cast<double>(NowNanos() - nanos) / 1e6; }

  bool Until(const std::function<bool()>& condition) {
    const int64_t latest = NowNanos() + 20'000'000'000;
    while (NowNanos() < latest) {
      if (condition()) return true;
    }
    scenario_.Fail("no script runs");
    return false;
  }

  bool IsBusy() {
    const std::optional<Reply> reply = admin_.Call({"EVAL", "return 1", "0"});
    return reply && reply->is_error("BUSY");
  }

  void Ping(Connection& other) {
    const int64_t start = NowNanos();
    scenario_.Expect(other.Call({"PING"}), "+PONG", "PING while a script runs");
    slowest_ping_ = std::max(slowest_ping_, MillisSince(start));
    if (MillisSince(start) > kPingMillisMax * scenario_.settings.slowness) {
      scenario_.Fail(fmt::format("PING took {:.0f} ms while a script runs", MillisSince(start)));
    }
  }

  void Kill(Connection& runner) {
    const int64_t start = NowNanos();
    scenario_.Expect(admin_.Call({"SCRIPT", "KILL"}), "+OK", "SCRIPT KILL");
    const std::optional<Reply> reply = runner.Read();
    const double millis = MillisSince(start);
    slowest_kill_ = std::max(slowest_kill_, millis);
    if (!reply || !reply->is_error("ERR Error running script") ||
        reply->text.find("killed by user") == std::string::npos) {
      scenario_.Fail("the killed script answers " + (reply ? reply->Text() : "nothing"));
    }
    if (millis > kKillMillisMax * scenario_.settings.slowness) {
      scenario_.Fail(fmt::format("SCRIPT KILL took {:.0f} ms", millis));
    }
  }

  Scenario& scenario_;
  Connection admin_;
  std::vector<Connection> others_;
  double slowest_ping_ = 0;
  double slowest_kill_ = 0;
};

}  // namespace

void RunEndlessScripts(const Settings& settings, Report& report) {
  Scenario scenario("endless scripts", settings, report);
  EndlessScript script(scenario);
  for (int round = 0; round < kRounds; ++round) script.Run(round % 2 == 1);
  scenario.Count("killed", kRounds);
  scenario.Count("slowest PING, ms", static_cast<uint64_t>(script.slowest_ping_millis()));
  scenario.Count("slowest SCRIPT KILL, ms", static_cast<uint64_t>(script.slowest_kill_millis()));
}

}  // namespace mikura::concurrency
