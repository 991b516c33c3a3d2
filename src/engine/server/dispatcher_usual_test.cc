// SPDX-License-Identifier: Apache-2.0
// Dispatcher::RunOneKey() tests what nearly never holds all at once, and looks closer only then: in
// each such case it must come to what Run() comes to.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/server/dispatcher_test_support.h"

namespace mikura::engine {
namespace {

class NoClock final : public FenceClock {
 public:
  BootMillis Now() const override { return 0; }
};

class DispatcherUsual : public DispatcherTest<NoClock> {
 protected:
  using Outcome = std::pair<RunOutcome, std::string>;

  Outcome Ask(const std::vector<std::string_view>& words, bool by_one_key) {
    Request request;
    request.args = words;
    std::vector<KeyPlace> places;
    std::vector<Key> keys;
    CommandTable::Memory memory;
    if (by_one_key) {
      EXPECT_TRUE(dispatcher_.ResolveOneKey(request, keys, memory)) << words[0];
    } else {
      dispatcher_.Resolve(request, places, keys);
    }
    request.keys = keys;
    wire::OutputBuffer out;
    wire::RespWriter reply(out, client_.resp_version);
    const RunOutcome outcome =
        by_one_key ? dispatcher_.RunOneKey(request, client_, kNow, effects_, reply, statistics_)
                   : dispatcher_.Run(request, client_, kNow, effects_, reply, statistics_);
    return {outcome, std::string(out.view())};
  }
  // What both ways answer to a read and to a write.
  std::pair<Outcome, Outcome> AskBoth() {
    const Outcome read = Ask({"GET", "k"}, true);
    const Outcome write = Ask({"SET", "k", "v"}, true);
    EXPECT_EQ(read, Ask({"GET", "k"}, false));
    EXPECT_EQ(write, Ask({"SET", "k", "v"}, false));
    return {read, write};
  }

  static constexpr UnixMillis kNow = 1000;
};

TEST_F(DispatcherUsual, ServesWhenAllIsWell) {
  Ask({"SET", "k", "v"}, false);
  const auto [read, write] = AskBoth();
  EXPECT_EQ(read, Outcome(RunOutcome::kDone, "$1\r\nv\r\n"));
  EXPECT_EQ(write, Outcome(RunOutcome::kDone, "+OK\r\n"));
}

TEST_F(DispatcherUsual, RefusesAndWaitsAsOthersDo) {
  Ask({"SET", "k", "v"}, false);
  struct Case {
    const char* name;
    std::function<void(bool)> set;
    bool concerns_reads;
  };
  const std::vector<Case> cases = {
      {"read_only", [&](bool on) { node_.read_only = on; }, false},
      {"min_replicas", [&](bool on) { node_.min_replicas = on ? 1 : 0; }, false},
      {"cannot_save", [&](bool on) { node_.cannot_save = on; }, false},
      {"log_error", [&](bool on) { node_.log_error = on ? 28 : 0; }, false},
      {"loading", [&](bool on) { node_.loading = on; }, true},
      {"write_waits", [&](bool on) { node_.SetWriteWait(NodeState::kLogIsCongested, on); }, false},
      {"pause of writes", [&](bool on) { node_.pause_end = on ? kNow + 1 : 0; }, false},
      {"pause", [&](bool on) { node_.pause_end = node_.all_pause_end = on ? kNow + 1 : 0; }, true},
      {"not logged in", [&](bool on) { client_.authenticated = !on; }, true},
      {"monitor", [&](bool on) { client_.is_monitor = on; }, true},
      {"subscriber", [&](bool on) { client_.is_subscriber = on; }, true},
      {"stale",
       [&](bool on) {
         node_.link_is_up = !on;
         node_.serves_stale = !on;
       },
       true},
  };
  const auto usual = AskBoth();
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    one.set(true);
    const auto now = AskBoth();
    EXPECT_NE(now.second, usual.second);
    EXPECT_EQ(now.first != usual.first, one.concerns_reads);
    one.set(false);
    EXPECT_EQ(AskBoth(), usual);
  }
}

}  // namespace
}  // namespace mikura::engine
