// SPDX-License-Identifier: Apache-2.0
#include "tests/concurrency/scenario.h"

#include <fmt/format.h>

#include <cstdio>

namespace mikura::concurrency {

void Report::Fail(const std::string& scenario, const std::string& what) {
  const MutexLock lock(mutex_);
  if (++failures_ <= kShownMax) fmt::print("FAILED {}: {}\n", scenario, what);
  std::fflush(stdout);
}

void Report::Count(const std::string& what, uint64_t count) {
  const MutexLock lock(mutex_);
  counts_[what] += count;
}

bool Report::Finish() {
  const MutexLock lock(mutex_);
  for (const auto& [what, count] : counts_) fmt::print("{}: {}\n", what, count);
  fmt::print("failures: {}\n", failures_);
  return failures_ == 0;
}

int64_t NowNanos() {
  using std::chrono::duration_cast;
  using std::chrono::nanoseconds;
  static const int64_t offset =
      duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count() -
      duration_cast<nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  return offset +
         duration_cast<nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool Scenario::Expect(const std::optional<Reply>& reply, const std::string& text,
                      const std::string& what) {
  if (reply && reply->Text() == text) return true;
  Fail(fmt::format("{}: {} instead of {}", what, reply ? reply->Text() : "lost connection", text));
  return false;
}

Reply Scenario::Must(Connection& connection, const Words& words) {
  const std::optional<Reply> reply = connection.Call(words);
  if (!reply || reply->is_error()) {
    Fail(fmt::format("{}: {}", Join(words), reply ? reply->Text() : "lost connection"));
    return {};
  }
  return *reply;
}

void Crew::Wait() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace mikura::concurrency
