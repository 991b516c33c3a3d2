// SPDX-License-Identifier: Apache-2.0
// Where the dispatcher looks at the fence: before a request runs, and again under its locks.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/server/dispatcher_test_support.h"

namespace mikura::engine {
namespace {

// Passes the deadline after it was asked so many times.
class CountingClock final : public FenceClock {
 public:
  BootMillis Now() const override { return left_-- > 0 ? 0 : kDeadline; }
  void PassAfter(int questions) { left_ = questions; }

  static constexpr BootMillis kDeadline = 1000;

 private:
  mutable int left_ = INT32_MAX;
};

class DispatcherFence : public DispatcherTest<CountingClock> {
 protected:
  DispatcherFence() { node_.fence.Set(1, CountingClock::kDeadline); }

  std::string Ask(const std::vector<std::string_view>& words) {
    Request request;
    request.args = words;
    std::vector<KeyPlace> places;
    std::vector<Key> keys;
    dispatcher_.Resolve(request, places, keys);
    request.keys = keys;
    wire::OutputBuffer out;
    wire::RespWriter reply(out, 2);
    dispatcher_.Run(request, client_, 1, effects_, reply, statistics_);
    return std::string(out.view().substr(0, out.size() - 2));
  }
  // Of a request that began before the deadline.
  std::string AskLate(const std::vector<std::string_view>& words) {
    clock_.PassAfter(1);
    std::string reply = Ask(words);
    clock_.PassAfter(INT32_MAX);
    return reply;
  }

  static constexpr const char* kFenced =
      "-READONLY The lease of this node has ended: it may not be the primary.";
};

TEST_F(DispatcherFence, ServesBeforeTheDeadline) {
  EXPECT_EQ(Ask({"SET", "k", "v"}), "+OK");
  EXPECT_EQ(Ask({"GET", "k"}), "$1\r\nv");
}

TEST_F(DispatcherFence, RefusesWritesPastTheDeadline) {
  clock_.PassAfter(0);
  EXPECT_EQ(Ask({"SET", "k", "v"}), kFenced);
  EXPECT_EQ(Ask({"PUBLISH", "c", "m"}), kFenced);
  EXPECT_EQ(Ask({"MSET", "k", "v", "l", "w"}), kFenced);
  EXPECT_EQ(Ask({"FLUSHALL"}), kFenced);
  EXPECT_EQ(Ask({"GET", "k"}), "$-1");
  EXPECT_EQ(Ask({"PING"}), "+PONG");
}

TEST_F(DispatcherFence, RefusesReadsTooWhereTheyPromiseSomething) {
  node_.is_sync = true;
  clock_.PassAfter(0);
  EXPECT_EQ(Ask({"GET", "k"}), kFenced);
  EXPECT_EQ(Ask({"DBSIZE"}), kFenced);
  EXPECT_EQ(Ask({"PING"}), "+PONG");
}

TEST_F(DispatcherFence, LooksAgainUnderTheLocks) {
  EXPECT_EQ(AskLate({"SET", "k", "v"}), kFenced);
  EXPECT_EQ(AskLate({"MSET", "k", "v", "l", "w"}), kFenced);
  EXPECT_EQ(Ask({"EXISTS", "k", "l"}), ":0");
}

TEST_F(DispatcherFence, WhatIsRefusedInMultiMakesExecRefuse) {
  EXPECT_EQ(Ask({"MULTI"}), "+OK");
  clock_.PassAfter(0);
  EXPECT_EQ(Ask({"SET", "k", "v"}), kFenced);
  clock_.PassAfter(INT32_MAX);
  EXPECT_TRUE(Ask({"EXEC"}).starts_with("-EXECABORT"));
}

TEST_F(DispatcherFence, ExecRefusesWhatWasQueuedInTime) {
  EXPECT_EQ(Ask({"MULTI"}), "+OK");
  EXPECT_EQ(Ask({"SET", "k", "v"}), "+QUEUED");
  clock_.PassAfter(0);
  EXPECT_TRUE(Ask({"EXEC"}).starts_with("-EXECABORT"));
  clock_.PassAfter(INT32_MAX);
  EXPECT_EQ(Ask({"GET", "k"}), "$-1");
}

}  // namespace
}  // namespace mikura::engine
