// SPDX-License-Identifier: Apache-2.0
// What all scenarios of the load share: where the server is, until when they run, and where they
// tell what they found.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "tests/concurrency/connection.h"
#include "tests/concurrency/reply.h"

namespace mikura::concurrency {

struct Settings {
  std::string host = "127.0.0.1";
  int port = 0;
  double seconds = 5;  // of each scenario
  uint64_t seed = 1;
  double slowness = 1;  // how much longer the server may take than an optimised one
};

// Failures and counts of all threads.
class Report {
 public:
  void Fail(const std::string& scenario, const std::string& what) EXCLUDES(mutex_);
  void Count(const std::string& what, uint64_t count) EXCLUDES(mutex_);
  // Prints the counts; true when nothing failed.
  bool Finish() EXCLUDES(mutex_);

 private:
  static constexpr uint64_t kShownMax = 20;

  Mutex mutex_;
  uint64_t failures_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, uint64_t> counts_ GUARDED_BY(mutex_);
};

// Nanoseconds since the Unix epoch, of a clock that never goes back.
int64_t NowNanos();

class Random {
 public:
  Random(uint64_t seed, uint64_t stream) : engine_(seed * 1'000'003 + stream) {}
  // 0 to below - 1.
  uint64_t Below(uint64_t below) { return engine_() % below; }
  bool OneIn(uint64_t chance) { return Below(chance) == 0; }

 private:
  std::mt19937_64 engine_;
};

class Scenario {
 public:
  Scenario(std::string name, const Settings& given, Report& report)
      : settings(given),
        name_(std::move(name)),
        report_(report),
        end_(NowNanos() + static_cast<int64_t>(given.seconds * 1e9)) {}

  bool IsOver() const { return NowNanos() >= end_; }
  Connection Connect() const { return Connection(settings.host, settings.port); }
  void Fail(const std::string& what) { report_.Fail(name_, what); }
  void Count(const std::string& what, uint64_t count) { report_.Count(name_ + ": " + what, count); }
  // Fails unless the reply is as given.
  bool Expect(const std::optional<Reply>& reply, const std::string& text, const std::string& what);
  // The reply; null after a failure, when the connection was lost or the command refused.
  Reply Must(Connection& connection, const Words& words);

  const Settings& settings;

 private:
  std::string name_;
  Report& report_;
  const int64_t end_;
};

// Threads that end before the crew does.
class Crew {
 public:
  ~Crew() { Wait(); }
  void Add(std::function<void()> work) { threads_.emplace_back(std::move(work)); }
  void Wait();

 private:
  std::vector<std::thread> threads_;
};

void RunSingleKeys(const Settings& settings, Report& report);
void RunBank(const Settings& settings, Report& report);
void RunMoves(const Settings& settings, Report& report);
void RunQueues(const Settings& settings, Report& report);
void RunFairness(const Settings& settings, Report& report);
void RunTracking(const Settings& settings, Report& report);
void RunEndlessScripts(const Settings& settings, Report& report);

}  // namespace mikura::concurrency
